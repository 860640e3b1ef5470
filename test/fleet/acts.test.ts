import { describe, expect, it } from 'vitest'
import type { SharedStore } from '../../src/fleet/store.ts'
import { requests } from '../../src/control/requests.ts'
import type { LetterChange } from '../../src/ledger/dead-letters.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { Member, Spoilt } from '../support/fleet.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { clink } from '../support/sample-records.ts'
import { letter } from '../support/states.ts'

const { clink_id: id } = clink
const cluster = clusterOfFile()

/** A member whose store cannot be written, and another one whose can. */
async function cutOff(context: Parameters<typeof needPostgres>[0], local = memoryTables()) {
  needPostgres(context)
  const url = await cluster.database()
  const spoilt: Spoilt[] = []
  const spoil = (real: SharedStore): SharedStore => {
    const store = new Spoilt(real)
    spoilt.push(store)
    return store
  }
  const a = await new Member('a', url, local, spoil).start()
  const b = await new Member('b', url).start()
  const write = (writes: Spoilt['writes']): void => {
    for (const store of spoilt) store.writes = writes
  }
  return {
    a,
    b,
    url,
    write,
    /** What happens once, after the next write was sent and before it is carried out. */
    behind: (act: () => Promise<void>): void => {
      for (const store of spoilt) store.behind = act
    },
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

it('§1: that is said as well where the store is back by the answer', async (context) => {
  const local = memoryTables()
  await using fleet = await cutOff(context, local)
  const { a, ask, write } = fleet
  await a.ledger.deadLetter(letter)
  write('fail')
  await a.ledger.cooling.set('msg_other', 1_000)
  const set = local.audit.set.bind(local.audit)
  local.audit.set = async (...row) => {
    write('work')
    await expect.poll(() => a.ledger.isHealthy, { timeout: 8_000 }).toBe(true)
    await set(...row)
  }
  await expect(requests['failed.retry'].by({ by: 'ann', ids: [id] }, ask)).rejects.toThrow(/^the shared store is away/)
  expect(a.ledger.isHealthy).toBe(true)
})

describe('P1: a rerun that is asked for of one member while another one has just run the clink again', () => {
  const told = { ...letter, tell: 'complete' } as const

  it('is answered by what has come of that, where the letter is gone', async (context) => {
    await using fleet = await cutOff(context)
    const { a, b, behind } = fleet
    await a.ledger.deadLetter(told)
    behind(async () => {
      expect(await b.ledger.retry(id)).toBe('rerun')
      await b.ledger.settled(clink, 'sent')
    })
    expect(await a.ledger.retry(id)).toBe('unknown')
  })

  it('is answered by that as well where both take it over from a member that is gone', async (context) => {
    await using fleet = await cutOff(context)
    const { a, b, behind, url } = fleet
    const gone = await new Member('gone', url).start()
    await gone.ledger.deadLetter(told)
    await gone.ledger.retry(id)
    await gone.ledger.begin({ letter: id })
    for (const member of [a, b])
      await expect.poll(async () => (await member.take(clink)).others?.begun.length, { timeout: 8_000 }).toBe(1)
    await gone.fleet.stop()
    await cluster.sql(
      `INSERT INTO clink_worker.members (fleet, member, name, version, seen) VALUES ('one', 'gone', 'gone', '1.0.0', now() - interval '1 minute')`,
      url,
    )
    behind(async () => {
      expect(await b.ledger.retry(id)).toBe('rerun')
      await b.ledger.settled(clink, 'sent')
    })
    expect(await a.ledger.retry(id)).toBe('unknown')
    expect(a.ledger.letters.reruns()).toEqual([])
  })

  it.for([
    {
      has: 'run it again',
      kept: told,
      act: async ({ ledger }: Member) => {
        await ledger.retry(id)
        await ledger.settled(clink, 'sent')
      },
    },
    { has: 'discarded it', kept: letter, act: async ({ ledger }: Member) => void (await ledger.discard(id)) },
  ])(
    'is answered by that as well while what was asked for here before is on its way: it has $has',
    async ({ act, kept }, context) => {
      await using fleet = await cutOff(context)
      const { a, b, behind } = fleet
      await a.ledger.deadLetter(kept)
      await b.take(clink)
      let again: Promise<LetterChange> | undefined
      behind(async () => {
        await act(b)
        again = a.ledger.retry(id)
      })
      expect([await a.ledger.retry(id), await again]).toEqual(['unknown', 'unknown'])
    },
  )

  it('comes after that, where it has failed again', async (context) => {
    await using fleet = await cutOff(context)
    const { a, b, behind } = fleet
    await a.ledger.deadLetter(told)
    behind(async () => {
      expect(await b.ledger.retry(id)).toBe('rerun')
      await b.ledger.deadLetter({ ...told, at: told.at + 1 })
    })
    expect(await a.ledger.retry(id)).toBe('rerun')
    await b.ledger.recall([id])
    expect(b.ledger.letters.get(id)).toMatchObject({ at: told.at + 1, rerun: { step: 'due', by: 'a' } })
  })
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
