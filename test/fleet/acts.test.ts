import { expect, it } from 'vitest'
import type { SharedStore } from '../../src/fleet/store.ts'
import { requests } from '../../src/control/requests.ts'
import { Member, Spoilt } from '../support/fleet.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { clink } from '../support/sample-records.ts'
import { letter } from '../support/states.ts'

const { clink_id: id } = clink
const cluster = clusterOfFile()

/** A member whose store cannot be written, and another one whose can. */
async function cutOff(context: Parameters<typeof needPostgres>[0]) {
  needPostgres(context)
  const url = await cluster.database()
  const spoilt: Spoilt[] = []
  const spoil = (real: SharedStore): SharedStore => {
    const store = new Spoilt(real)
    spoilt.push(store)
    return store
  }
  const a = await new Member('a', url, undefined, spoil).start()
  const b = await new Member('b', url).start()
  const write = (writes: Spoilt['writes']): void => {
    for (const store of spoilt) store.writes = writes
  }
  return {
    a,
    b,
    write,
    ask: { ledger: a.ledger, worker: undefined },
    async [Symbol.asyncDispose]() {
      await Promise.all([a[Symbol.asyncDispose](), b[Symbol.asyncDispose]()])
    },
  }
}

it('§1: what is asked for about a dead letter while the store is away is noted, and that is said', async (context) => {
  await using fleet = await cutOff(context)
  const { a, ask, b, write } = fleet
  await a.ledger.deadLetter(letter)
  await b.take(clink)
  write('fail')
  const asked = requests['failed.retry'].by({ by: 'ann', ids: [id] }, ask)
  await expect(asked).rejects.toThrow(
    /^the shared store is away: this is noted here, the other workers are told of it when the store is back/,
  )
  expect(a.ledger.letters.has(id)).toBe(false)
  write('work')
  await expect.poll(async () => (await b.take(clink)).isGivenUp, { timeout: 8_000 }).toBe(false)
})

it('§1: a pause of a worker needs no store', async (context) => {
  await using fleet = await cutOff(context)
  const { a, ask, write } = fleet
  write('fail')
  await a.ledger.deadLetter(letter)
  expect(a.ledger.isHealthy).toBe(false)
  const paused = { routes: [null], isRunning: false }
  expect(await requests.pause.by({ by: 'ann' }, ask)).toEqual(paused)
  expect(await requests.resume.by({ by: 'ann' }, ask)).toEqual({ ...paused, routes: [], was: true })
})
