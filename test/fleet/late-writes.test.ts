import { expect, it } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { PostgresStore } from '../../src/fleet/postgres.ts'
import type { Batch, SharedStore } from '../../src/fleet/store.ts'
import type { LetterEdit } from '../../src/fleet/letter-edits.ts'
import type { RerunState } from '../../src/ledger/dead-letters.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'

const NO_STEPS: Batch['steps'] = { dropped: [], removed: [], kept: [] }
const NOTHING: Batch = { over: [], parts: [], notes: [], steps: NO_STEPS }
const LATE = 'another process of this worker has written since'
const OVER: Batch = { ...NOTHING, over: ['c'] }
const step = { clink: 'c', is: 'step', name: 'pay', value: '42', at: 1, content: 'x' } as const
const cluster = clusterOfFile()

/** Writes of one member: what `first` writes is carried out late where `second` has written before, as by a network that has held it back. And another member. */
async function writers(context: Parameters<typeof needPostgres>[0]) {
  needPostgres(context)
  const url = await cluster.database()
  const open = async (member: string): Promise<SharedStore> => {
    const store = new PostgresStore({ url: new Secret(url), fleet: 'one', member, name: 'host', version: '1.0.0' })
    await store.prepare()
    return store
  }
  const [first, second, other] = [await open('a'), await open('a'), await open('b')]
  const number = async (): Promise<string> =>
    await cluster.sql(`SELECT written FROM clink_worker.writers WHERE member = 'a'`, url)
  return {
    first,
    second,
    other,
    url,
    number,
    async [Symbol.asyncDispose]() {
      await Promise.all([first, second, other].map(async (store) => await store.close()))
    },
  }
}

/** The rerun of a letter goes on to a step. @param before the steps at which the fleet may have it. */
function letter(step: RerunState['step'], ...before: readonly RerunState['step'][]): Batch['notes'][number] {
  const was: LetterEdit['was'] = before.map((one) => [{ step: one }, 1])
  const row = JSON.stringify({ at: 1, rerun: { step } })
  const isNew = before.length === 0
  return { kind: 'letters', id: 'c', row, isNew, edit: { keys: ['rerun'], was, ...(isNew && { born: 'a 1' }) } }
}

it('P5: a write that was given up puts no letter back to where it was before its result was sent', async (context) => {
  await using members = await writers(context)
  const { first, other, second } = members
  await second.write({ ...NOTHING, notes: [letter('ready')] })
  await second.write({ ...NOTHING, notes: [letter('sending', 'ready')] })
  // Told before that, while nobody knew how much of an earlier write had been carried out.
  await expect(first.write({ ...NOTHING, notes: [letter('ready', 'ready', 'sending')] })).rejects.toThrow(LATE)
  const [note] = (await other.recall(['c'])).notes
  expect(JSON.parse(note?.row ?? '')).toMatchObject({ rerun: { step: 'sending' } })
})

it('a write that was given up brings no letter and no attempts, and forgets nothing of what others have done since', async (context) => {
  await using members = await writers(context)
  const { first, other, second } = members
  const parts = [{ clink: 'c', attempts: '{"count":1}', result: null, isNew: true }]
  await first.write(OVER)
  await second.write(OVER)
  await other.write({ ...NOTHING, parts })
  await expect(first.write({ ...OVER, parts, notes: [letter('ready')] })).rejects.toThrow(LATE)
  expect(await second.recall(['c'])).toMatchObject({ parts: [{ member: 'b' }], mine: [], notes: [] })
})

it('what is over is told once more, and what others have told since the first time stays', async (context) => {
  await using members = await writers(context)
  const { other, second } = members
  const parts = [{ clink: 'c', attempts: '{"count":1}', result: null, isNew: true }]
  const again = (ms: number): Batch => ({ ...OVER, overFor: new Map([['c', ms]]) })
  for (const store of [second, other]) await store.write({ ...NOTHING, parts })
  await second.write(again(60_000))
  expect(await second.recall(['c'])).toMatchObject({ parts: [{ member: 'b' }], mine: [] })
  await second.write(again(0))
  expect(await second.recall(['c'])).toMatchObject({ parts: [], mine: [] })
})

it('a write that was given up keeps no steps of a clink that is done by then, and drops none', async (context) => {
  await using members = await writers(context)
  const { first, other, second } = members
  const kept = { ...NOTHING, steps: { ...NO_STEPS, kept: [step] } }
  const dropped = { ...NOTHING, steps: { ...NO_STEPS, dropped: ['c'] } }
  await first.write(kept)
  await second.write(dropped)
  await expect(first.write(kept)).rejects.toThrow(LATE)
  expect(await other.steps('c')).toEqual([])
  await second.write(kept)
  await expect(first.write(dropped)).rejects.toThrow(LATE)
  expect(await other.steps('c')).toMatchObject([{ name: 'pay' }])
  // Others have numbers of their own.
  await other.write(dropped)
  expect(await other.steps('c')).toEqual([])
})

it('those before it are shut out by the first write of a process, and by the next one after each that was given up', async (context) => {
  await using members = await writers(context)
  const { number, second } = members
  await second.write(OVER)
  const atFirst = BigInt(await number())
  await second.write(OVER)
  expect(BigInt(await number())).toBe(atFirst)
  await expect(second.write({ ...NOTHING, over: ['\0'] })).rejects.toThrow()
  await second.write(OVER)
  expect(BigInt(await number())).toBe(atFirst + 3n)
})

it('a worker that starts while the store is away writes nothing before it has a number above those of its last process', async (context) => {
  await using members = await writers(context)
  const { other, second, url } = members
  const parts = (count: number): Batch => ({
    ...NOTHING,
    parts: [{ clink: 'c', attempts: JSON.stringify({ count }), result: null, isNew: true }],
  })
  await second.write(parts(1))
  const next = new PostgresStore({ url: new Secret(url), fleet: 'one', member: 'a', name: 'host', version: '1.0.0' })
  await expect(next.write(parts(2))).rejects.toThrow('it was not reached yet')
  await next.prepare()
  await next.write(parts(2))
  expect((await other.recall(['c'])).parts).toMatchObject([{ attempts: '{"count":2}' }])
  await next.close()
})

it('the number of a write is forgotten with its member', async (context) => {
  await using members = await writers(context)
  const { other, second, url } = members
  await other.beat()
  for (const store of [second, other]) await store.write(OVER)
  await other.prune(60_000)
  expect(await cluster.sql('SELECT member FROM clink_worker.writers', url)).toBe('b')
})
