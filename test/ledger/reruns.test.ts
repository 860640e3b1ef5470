import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { RerunState } from '../../src/ledger/dead-letters.ts'
import { journalFacts } from '../../src/journal/copies.ts'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { letter, open, recalled } from '../support/states.ts'

const id = clink.clink_id
const told = { ...letter, tell: 'complete' } as const

describe('a letter whose sender was told', () => {
  it('is marked to be run again, once, over a close (P1, §5)', async () => {
    using directory = new TempDir()
    const first = open(directory.path)
    await first.ledger.deadLetter(told)
    expect(await first.ledger.letters.retry(id)).toBe('rerun')
    await first.ledger.letters.noteRerun(id, { step: 'ready', response: 'the result' })
    first.close()
    const second = open(directory.path)
    const { letters } = second.ledger
    expect(letters.reruns()).toEqual([{ ...told, rerun: { step: 'ready', response: 'the result' } }])
    expect(await letters.retry(id)).toBe('rerun')
    expect(letters.rerunOf(id)).toEqual({ step: 'ready', response: 'the result' })
    expect((await recalled(second.ledger, id)).isGivenUp).toBe(true)
    second.close()
  })

  it.each<[RerunState | undefined, RerunState]>([
    [undefined, { step: 'due' }],
    [{ step: 'running' }, { step: 'running' }],
    [
      { step: 'sending', response: 'x' },
      { step: 'sending', response: 'x' },
    ],
    [
      { step: 'unknown', response: 'x' },
      { step: 'ready', response: 'x' },
    ],
    [
      { step: 'refused', response: 'x' },
      { step: 'ready', response: 'x' },
    ],
  ])('that is at %j is at %j after a retry (P5, §5)', async (before, after) => {
    using directory = new TempDir()
    const state = open(directory.path)
    await state.ledger.deadLetter(before === undefined ? told : { ...told, rerun: before })
    await state.ledger.letters.retry(id)
    expect(state.ledger.letters.rerunOf(id)).toEqual(after)
    state.close()
  })

  it.each<[RerunState, RerunState]>([
    [{ step: 'running' }, { step: 'running' }],
    [
      { step: 'unknown', response: 'x' },
      { step: 'ready', response: 'x' },
    ],
  ])('that is at %j goes on as a rerun though the inbox shows its clink (P5, §5)', async (before, after) => {
    using directory = new TempDir()
    const state = open(directory.path)
    await state.ledger.deadLetter({ ...told, rerun: before })
    await state.ledger.sightings.see(id)
    expect(await state.ledger.letters.retry(id)).toBe('rerun')
    expect(state.ledger.letters.rerunOf(id)).toEqual(after)
    state.close()
  })

  it('that the inbox has shown since is retried as any other: Clink did not hear of its end (§5)', async () => {
    using directory = new TempDir()
    const state = open(directory.path)
    await state.ledger.deadLetter(told)
    await state.ledger.sightings.see(id)
    expect(await state.ledger.letters.retry(id)).toBe('done')
    expect((await recalled(state.ledger, id)).isGivenUp).toBe(false)
    state.close()
  })

  it('counts its attempts on when Clink takes the notice of its failure meanwhile, and begins anew once its result is sent (P10, §5)', async () => {
    using directory = new TempDir()
    const state = open(directory.path)
    const { ledger } = state
    await ledger.deadLetter({ ...told, notice: 'it failed' })
    await ledger.letters.retry(id)
    expect(await ledger.begin({ letter: id })).toBe(1)
    await ledger.settled(clink)
    expect(ledger.letters.get(id)).not.toHaveProperty('notice')
    expect(await ledger.begin({ letter: id })).toBe(2)
    await ledger.settled(clink, 'sent')
    expect(await ledger.begin({ letter: id })).toBe(1)
    state.close()
  })

  it('leaves no result that Clink has not confirmed, once its result is sent', async () => {
    using directory = new TempDir()
    const state = open(directory.path)
    const { ledger } = state
    await ledger.deadLetter(told)
    await ledger.letters.retry(id)
    await ledger.begin({ letter: id })
    await ledger.settled(clink, 'sent')
    const other = { ...clink, clink_id: 'other' }
    await ledger.keepResult(other, 'not told yet')
    expect(ledger.keptResult(clink)).toMatchObject({ isSent: true })
    state.close()
    expect(journalFacts(join(directory.path, 'journal.db')).rows).toMatchObject({ letters: 0, results: 1 })
  })

  it('that is discarded is run no more, and nothing brings it back (§5)', async () => {
    using directory = new TempDir()
    const state = open(directory.path)
    const { letters } = state.ledger
    await state.ledger.deadLetter({ ...told, rerun: { step: 'ready', response: 'x' } })
    await letters.discard(id)
    await letters.noteRerun(id, { step: 'due' })
    expect([letters.rerunOf(id), letters.reruns(), await letters.retry(id)]).toEqual([undefined, [], 'unknown'])
    expect((await recalled(state.ledger, id)).isGivenUp).toBe(true)
    state.close()
  })

  it('goes on in a worker that leaves its fleet, where that one has run it: another one’s waits for the operator (P1, P5)', async () => {
    using directory = new TempDir()
    const first = open(directory.path)
    const of = (name: string, rerun: RerunState) => ({ ...told, clink: { ...clink, clink_id: name }, rerun })
    await first.ledger.process.note({ fleet: 'ours', member: 'one' })
    await first.ledger.deadLetter(of('mine', { step: 'ready', response: 'x', by: 'one' }))
    await first.ledger.deadLetter(of('theirs', { step: 'running', by: 'two' }))
    expect(first.ledger.letters.reruns()).toEqual([])
    first.close()
    const second = open(directory.path)
    expect(second.ledger.letters.reruns()).toEqual([of('mine', { step: 'ready', response: 'x' })])
    expect(await second.ledger.retry('theirs')).toBe('rerun')
    expect(second.ledger.letters.rerunOf('theirs')).toEqual({ step: 'due' })
    second.close()
  })

  it('in a copied state directory is not run by both: its mark goes, and a result is the operator’s to send (P5, §7)', async () => {
    using directory = new TempDir()
    const state = open(directory.path)
    const { letters } = state.ledger
    const of = (name: string, rerun: RerunState) => ({ ...told, clink: { ...clink, clink_id: name }, rerun })
    await state.ledger.deadLetter(of('due', { step: 'due' }))
    await state.ledger.deadLetter(of('running', { step: 'running' }))
    await state.ledger.deadLetter(of('ready', { step: 'ready', response: 'x' }))
    await letters.dropReruns()
    expect(letters.reruns()).toEqual([])
    expect(letters.get('due')).toEqual({ ...told, clink: { ...clink, clink_id: 'due' } })
    expect(letters.get('running')).not.toHaveProperty('rerun')
    expect(letters.get('ready')?.rerun).toEqual({ step: 'unknown', response: 'x' })
    state.close()
  })
})
