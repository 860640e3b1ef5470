import { describe, expect, it } from 'vitest'
import type { Clink } from '../../../src/clink/records.ts'
import { Identity } from '../../../src/keys/identity.ts'
import { ownClaims } from '../../../src/worker/admission/page-claims.ts'

const record = (id: string, status: string, claimedBy?: string): Clink => ({
  clink_id: id,
  group_id: 'g',
  sender_id: 's',
  sender_name: 's',
  content: '',
  created_at: '2026-01-01T00:00:00Z',
  status,
  ...(claimedBy === undefined ? {} : { claimed_by: claimedBy }),
})
const page = (clinks: Clink[], claimed_count?: number): Parameters<typeof ownClaims>[0] => ({
  clinks,
  count: clinks.length,
  malformed: [],
  ...(claimed_count === undefined ? {} : { claimed_count }),
})
const known = new Identity('me', () => {})
const unknown = new Identity(undefined, () => {})
const proven = { isProven: true }
const ids = (set: ReadonlySet<Clink>): string[] => [...set].map(({ clink_id }) => clink_id)

describe('which clinks of a claiming poll are ours (P7, §1)', () => {
  it('all of them when the answer says that all were claimed, even shown as they were before', () => {
    expect(ids(ownClaims(page([record('a', 'pending'), record('b', 'claimed', 'me')], 2), known, proven))).toEqual([
      'a',
      'b',
    ])
  })

  it('without a count, those that are shown as claimed and not by somebody else', () => {
    const clinks = [
      record('a', 'pending'),
      record('b', 'claimed', 'me'),
      record('c', 'claimed', 'bob'),
      record('d', 'claimed'),
    ]
    expect(ids(ownClaims(page(clinks), known, proven))).toEqual(['b', 'd'])
  })

  it('those of ours when another caller won the rest', () => {
    expect(
      ids(ownClaims(page([record('a', 'claimed', 'me'), record('b', 'claimed', 'bob')], 1), known, proven)),
    ).toEqual(['a'])
  })

  it('none when a sibling won some of them and nothing tells which', () => {
    expect(
      ids(ownClaims(page([record('a', 'claimed', 'me'), record('b', 'claimed', 'me')], 1), known, proven)),
    ).toEqual([])
    expect(
      ids(ownClaims(page([record('a', 'claimed', 'x'), record('b', 'claimed', 'y')], 1), unknown, proven)),
    ).toEqual([])
  })

  it('none when others won some of them and the key may be one of theirs: what names us is a sibling’s (P15, §8)', () => {
    const won = page([record('a', 'claimed', 'stranger'), record('b', 'claimed', 'me')], 1)
    expect(ids(ownClaims(won, known, { isProven: false }))).toEqual([])
    expect(ids(ownClaims(won, known, proven))).toEqual(['b'])
  })
})
