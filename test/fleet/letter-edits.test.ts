import { describe, expect, it } from 'vitest'
import { fromJsonb, toJsonb } from '../../src/fleet/jsonb-text.ts'
import { editsOf, type LetterEdit } from '../../src/fleet/letter-edits.ts'
import type { Batch, Note } from '../../src/fleet/store.ts'
import type { DeadLetter } from '../../src/ledger/dead-letters.ts'
import { Spoilt, Member, twoMembers } from '../support/fleet.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { clink } from '../support/sample-records.ts'
import { letter } from '../support/states.ts'
import { sharedStores, type SharedNotes } from './simulated/shared-stores.ts'

const NOTHING: Batch = { over: [], parts: [], notes: [], steps: { dropped: [], removed: [], kept: [] } }
const { clink_id: id } = clink
const cluster = clusterOfFile()

function read([note]: readonly Note[]): unknown {
  return typeof note?.row === 'string' ? JSON.parse(note.row) : undefined
}

/** What another member reads of the letter. */
async function letterIn(store: SharedNotes): Promise<unknown> {
  return read(await store.notesOf(id))
}

/** A write of the letter as one member has it. */
function write(row: Partial<DeadLetter> | undefined, edit: LetterEdit): Batch {
  const text = row === undefined ? null : JSON.stringify(row)
  return { ...NOTHING, notes: [{ kind: 'letters', id, row: text, isNew: edit.born !== undefined, edit }] }
}

const fresh: LetterEdit = { born: 'a 1', keys: [], was: [] }
const seen = { ...letter, seen: 5 }
const due = { ...letter, rerun: { step: 'due', by: 'b' } } as const
/** How letters were before they were changed: at rest, and asked for. */
const was = [[null, letter.at]] as const
const wasDue = [[due.rerun, letter.at]] as const
const discarded = { ...letter, reason: '', errors: [], discarded: true } as const
const DISCARD: LetterEdit = { keys: ['reason', 'errors', 'discarded'], was }

describe.for(sharedStores(cluster))('a letter of a fleet, %s', ([, open]) => {
  it('keeps what another member has changed of it meanwhile', async (context) => {
    const store = await open(context)
    await store.write(write(letter, fresh))
    await store.write(write(due, { keys: ['rerun'], was }))
    const after = await store.write(write(seen, { keys: ['seen'], was }))
    expect(await letterIn(store)).toEqual({ ...due, seen: 5 })
    expect(read(after)).toEqual({ ...due, seen: 5 })
    await store.write(write(letter, { keys: ['rerun'], was: wasDue }))
    expect(await letterIn(store)).toEqual(seen)
  })

  it('stays discarded, whoever changes or removes it without knowing that', async (context) => {
    const store = await open(context)
    await store.write(write({ ...letter, notice: 'failed' }, fresh))
    await store.write(write(discarded, DISCARD))
    for (const [row, keys] of [
      [due, ['rerun']],
      [letter, ['notice']],
      [undefined, []],
    ] as const)
      expect(read(await store.write(write(row, { keys, was })))).toEqual(discarded)
    await store.write(write({ ...discarded, seen: 7 }, { keys: ['seen'], was }))
    expect(await letterIn(store)).toEqual({ ...discarded, seen: 7 })
    await store.write(write(undefined, { keys: ['discarded'], was }))
    expect(await letterIn(store)).toBeUndefined()
  })

  it('is changed once by a write that nobody has learnt of, and is repeated', async (context) => {
    const store = await open(context)
    const failed = { ...letter, at: 2_000, reason: 'again' }
    const once = write(failed, { keys: ['rerun', 'at', 'reason'], was: [...was, ...wasDue] })
    await store.write(write(due, fresh))
    await store.write(once)
    expect(await letterIn(store)).toEqual(failed)
    const taken = { ...failed, rerun: { step: 'due', by: 'c' } } as const
    await store.write(write(taken, { keys: ['rerun'], was: [[null, 2_000]] }))
    expect(read(await store.write(once))).toEqual(taken)
    // What is about the clink counts all the same.
    await store.write(write({ ...failed, seen: 9 }, { keys: ['rerun', 'seen'], was }))
    expect(await letterIn(store)).toEqual({ ...taken, seen: 9 })
    await store.write(write(undefined, { keys: [], was }))
    expect(await letterIn(store)).toEqual({ ...taken, seen: 9 })
    await store.write(write(undefined, { keys: [], was: [[taken.rerun, 2_000]] }))
    expect(await letterIn(store)).toBeUndefined()
  })

  it('is discarded as a whole, whatever was changed of it', async (context) => {
    const store = await open(context)
    await store.write(write(letter, fresh))
    await store.write(write(due, { keys: ['rerun'], was }))
    await store.write(write(discarded, DISCARD))
    expect(await letterIn(store)).toEqual(discarded)
  })

  it('is not brought back by a second write of it, and is there again when it is a new one', async (context) => {
    const store = await open(context)
    await store.write(write(letter, fresh))
    await store.write(write(undefined, { keys: [], was }))
    expect(await store.write(write(seen, { ...fresh, keys: ['seen'], was }))).toEqual([])
    expect(await letterIn(store)).toBeUndefined()
    await store.write(write(letter, { born: 'b 2', keys: [], was: [] }))
    expect(await letterIn(store)).toEqual(letter)
    await store.write(write(discarded, DISCARD))
    await store.write(write(letter, { born: 'b 2', keys: [], was: [] }))
    expect(await letterIn(store)).toEqual(discarded)
  })

  it('is not put in the place of one that came after it, nor is there again once that is gone', async (context) => {
    const store = await open(context)
    const after = { ...letter, at: letter.at + 1, reason: 'the last one' }
    await store.write(write(letter, fresh))
    await store.write(write(undefined, { keys: [], was }))
    expect(await store.write(write(after, { born: 'b 2', keys: [], was: [] }))).toMatchObject([{ kind: 'letters', id }])
    // Its member has learnt of nothing since: it had crashed before it heard that the first one was written.
    expect(await store.write(write(letter, fresh))).toMatchObject([{ row: expect.stringContaining('the last one') }])
    expect(await letterIn(store)).toEqual(after)
    await store.write(write(undefined, { keys: [], was: [[null, after.at]] }))
    expect(await store.write(write(letter, fresh))).toEqual([])
    expect(await letterIn(store)).toBeUndefined()
  })

  it('is run again as an operator has asked, though another member tells later that it has given the clink up as well (P1)', async (context) => {
    const store = await open(context)
    const other = { ...letter, at: letter.at + 1, reason: 'another start' }
    await store.write(write(letter, fresh))
    await store.write(write(due, { keys: ['rerun'], was }))
    const after = await store.write(write(other, { born: 'b 2', keys: [], was: [] }))
    expect([read(after), await letterIn(store)]).toEqual([due, due])
    // Whoever runs it has it as it was.
    await store.write(write(letter, { keys: ['rerun'], was: wasDue }))
    expect(await letterIn(store)).toEqual(letter)
    await store.write(write({ ...other, at: 9 }, { born: 'c 3', keys: [], was: [] }))
    expect(await letterIn(store)).toEqual({ ...other, at: 9 })
  })

  it('may be a new one where an operator has discarded one that was to be run again', async (context) => {
    const store = await open(context)
    await store.write(write(letter, fresh))
    await store.write(
      write({ ...discarded, rerun: due.rerun }, { keys: ['reason', 'errors', 'discarded', 'rerun'], was }),
    )
    await store.write(write(letter, { born: 'b 2', keys: [], was: [] }))
    expect(await letterIn(store)).toEqual(letter)
  })

  it('has what changed of it before it was told, and what changed after', async (context) => {
    const store = await open(context)
    await store.write(write(seen, { ...fresh, keys: ['seen'], was }))
    expect(await letterIn(store)).toEqual(seen)
    await store.write(write({ ...seen, rerun: due.rerun }, { ...fresh, keys: ['seen', 'rerun'], was }))
    expect(await letterIn(store)).toEqual({ ...due, seen: 5 })
  })

  it('keeps texts that PostgreSQL has none of', async (context) => {
    const store = await open(context)
    const odd = { ...letter, reason: 'a\0b \ud800 \\u0000 \\\0 \uE000 \x1f "' }
    await store.write(write(odd, fresh))
    await store.write(write({ ...odd, seen: 5, errors: ['\0'] }, { keys: ['seen', 'errors'], was }))
    expect(await letterIn(store)).toEqual({ ...odd, seen: 5, errors: ['\0'] })
  })
})

describe('edits of a letter', () => {
  it('are one: a new letter and what has changed of it, or of the one that was there', () => {
    const all = [...was, ...wasDue]
    expect(editsOf(fresh, { keys: ['seen'], was })).toEqual({ born: 'a 1', keys: ['seen'], was })
    const both = editsOf({ keys: ['seen'], was }, { keys: ['rerun', 'seen'], was: all })
    expect(both).toEqual({ keys: ['seen', 'rerun'], was: all })
    expect(editsOf({ keys: ['seen'], was }, fresh)).toEqual(fresh)
    expect(editsOf(fresh, undefined)).toEqual(fresh)
  })

  it('are told as text that looks like itself', () => {
    const texts = ['plain', '\\', '\\u', 'a\0', '\uE000', '\uE0000000', '\udc00', 'é\n']
    for (const text of texts) {
      const json = JSON.stringify({ text })
      expect(toJsonb(json)).not.toMatch(/(?<!\\)(\\\\)*\\u/)
      expect(JSON.parse(fromJsonb(toJsonb(json)))).toEqual({ text })
    }
  })
})

describe('a member whose letter another one has changed', () => {
  async function two(context: Parameters<typeof needPostgres>[0]) {
    needPostgres(context)
    return await twoMembers(await cluster.database())
  }

  const completed = { ...letter, tell: 'complete', notice: 'failed' } as const

  it('does not run again what was discarded, though it knows nothing of that', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.ledger.deadLetter(completed)
    await a.ledger.retry(id)
    expect(await b.ledger.discard(id)).toBe('done')
    expect(a.ledger.letters.reruns()).toHaveLength(1)
    await a.ledger.letters.noticed(id)
    expect(a.ledger.letters.reruns()).toEqual([])
    await b.take(clink)
    expect([a, b].map(({ ledger }) => ledger.letters.count)).toEqual([0, 0])
  })

  it('takes nothing back that the other one was asked for', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.ledger.deadLetter(completed)
    await b.take(clink)
    expect(await b.ledger.retry(id)).toBe('rerun')
    await a.ledger.letters.noticed(id)
    await a.ledger.sightings.see(id)
    await b.take(clink)
    expect(b.ledger.letters.reruns()).toMatchObject([{ rerun: { step: 'due', by: 'b' } }])
    expect(a.ledger.letters.get(id)).toMatchObject({ rerun: { by: 'b' } })
  })

  it('tells an operator who was slower that there is no such letter', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.ledger.deadLetter(letter)
    await b.take(clink)
    // Both have read it.
    const [discarded, retried] = await Promise.all([a.ledger.discard(id), b.ledger.retry(id)])
    expect([discarded, retried].toSorted()).toEqual(['done', 'unknown'])
  })

  it('tells a later process what an earlier one has changed, and only that', async (context) => {
    await using fleet = await two(context)
    const { b, url } = fleet
    let store: Spoilt | undefined
    const c = await new Member('c', url, undefined, (real) => (store = new Spoilt(real))).start()
    await c.ledger.deadLetter(completed)
    if (store !== undefined) store.writes = 'fail'
    await c.ledger.letters.noticed(id)
    await c.fleet.stop()
    await b.take(clink)
    await b.ledger.retry(id)
    await c.again()
    await expect.poll(async () => (await b.take(clink)).letter?.notice).toBeUndefined()
    expect(b.ledger.letters.reruns()).toHaveLength(1)
    await c.fleet.stop()
  })
})
