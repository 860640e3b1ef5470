import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { changePauses } from '../../src/fleet/open.ts'
import { endOf, KeptPauses, PAUSES } from '../../src/ledger/pauses.ts'
import type { FleetPause } from '../../src/ledger/fleet.ts'
import { Member, twoMembers } from '../support/fleet.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { clink } from '../support/sample-records.ts'
import { letter } from '../support/states.ts'

const { clink_id: id } = clink
const cluster = clusterOfFile()

it.for<[string, number]>([
  ['in the same cluster', 0],
  ['in another cluster, whose numbers of transactions are lower', 1_000_000],
])(
  'a database that was made anew under the old address, %s, is told what each member remembers',
  async ([, ahead], context) => {
    needPostgres(context)
    await using fleet = await twoMembers(await cluster.database())
    const { a, b, url } = fleet
    await a.ledger.deadLetter(letter)
    await b.take(clink)
    expect(b.ledger.letters.has(id)).toBe(true)
    for (const member of [a, b]) await member.fleet.stop()
    await cluster.sql('DROP SCHEMA clink_worker CASCADE', url)
    const seen = (a.local.facts.get('fleet seen') ?? '').split(':')
    await a.local.facts.set('fleet seen', `${BigInt(seen[0] ?? '') + BigInt(ahead)}:${seen[1]}`)

    await a.again()
    const letters = `SELECT count(*) FROM clink_worker.notes WHERE kind = 'letters' AND row IS NOT NULL`
    await expect.poll(async () => await cluster.sql(letters, url)).toBe('1')
    await b.again()
    for (const member of [a, b]) {
      await member.take(clink)
      expect(member.ledger.letters.has(id)).toBe(true)
    }
  },
)

it('a living member of a database that was made anew tells it what it remembers, says so, and is not ready before', async (context) => {
  needPostgres(context)
  await using fleet = await twoMembers(await cluster.database())
  const { a, b, url } = fleet
  const memory = await b.take(clink)
  await b.begin(clink)
  await a.ledger.deadLetter({ ...letter, clink: { ...clink, clink_id: 'given-up' } })
  await b.ledger.recall(['given-up'])
  const name = new URL(url.replace('@/', '@host/')).pathname.slice(1)
  await cluster.sql(`DROP DATABASE ${name} WITH (FORCE)`, 'postgres')
  await cluster.sql(`CREATE DATABASE ${name}`, 'postgres')
  await using c = await new Member('c', url).start()
  // What is asked before the next look at it, as by a poll.
  for (const { fleet: member, health, ledger, wasHealthy } of [a, b]) {
    await ledger.recall([id])
    // It may be over before anybody looks.
    const said = (): number => health.findIndex((problem) => problem?.includes('it was made anew'))
    await expect.poll(said, { timeout: 8_000 }).not.toBe(-1)
    expect(wasHealthy[said()]).toBe(false)
    await expect.poll(() => member.isHealthy, { timeout: 8_000, interval: 5 }).toBe(true)
  }
  await c.take({ ...clink, clink_id: 'given-up' })
  expect(c.ledger.letters.has('given-up')).toBe(true)
  expect((await c.take(clink)).others?.attempts.count).toBe(1)
  expect(memory.attempts.count).toBe(1)
}, 30_000)

describe('what is paused in the fleet', () => {
  const ANEW = 'DROP SCHEMA clink_worker CASCADE'

  async function paused(context: Parameters<typeof needPostgres>[0]) {
    needPostgres(context)
    const fleet = await twoMembers(await cluster.database())
    const act = { act: 'pause', by: 'ann' } as const
    const url = new Secret(fleet.url)
    const resume = async (route: string) => await changePauses(url, 'one', { route, act: { act: 'resume', by: 'bob' } })
    await changePauses(url, 'one', { pause: { route: 'rated', by: 'ann', note: 'keep "me"' }, act })
    await changePauses(url, 'one', { pause: { route: 'plain', by: 'ann', for: 300_000 }, act })
    const { a, b } = fleet
    for (const member of [a, b]) await expect.poll(() => member.fleet.pauses.list(), { timeout: 8_000 }).toHaveLength(2)
    return Object.assign(fleet, { resume, before: a.fleet.pauses.list() ?? [] })
  }

  /** Whose, why, since when and for how long. */
  const same = (before: readonly FleetPause[]) =>
    before.map(({ left, ...pause }) => ({
      ...pause,
      left: left === undefined ? undefined : expect.closeTo(left - 5_000, -4),
    }))

  it('stands on in a database that was made anew under members that run, with all that was said of it', async (context) => {
    await using fleet = await paused(context)
    const { a, b, before } = fleet
    const stood: number[] = []
    for (const { fleet: member } of [a, b]) member.pauses.read.on(() => stood.push(member.pauses.list()?.length ?? 0))
    await cluster.sql(ANEW, fleet.url)
    const told = `SELECT count(*) FROM clink_worker.notes WHERE kind = 'pauses'`
    await expect.poll(async () => await cluster.sql(told, fleet.url).catch(String), { timeout: 8_000 }).toBe('2')
    const looks = stood.length
    await expect.poll(() => stood.length, { timeout: 15_000 }).toBeGreaterThan(looks + 3)
    expect(new Set(stood)).toEqual(new Set([2]))
    for (const member of [a, b])
      expect(member.fleet.pauses.list()?.toSorted(byRoute)).toEqual(same(before.toSorted(byRoute)))
    // And once more, by a member that has read it from there.
    await cluster.sql(ANEW, fleet.url)
    await expect.poll(async () => await cluster.sql(told, fleet.url).catch(String), { timeout: 8_000 }).toBe('2')
    await using c = await new Member('c', fleet.url).start()
    expect(c.fleet.pauses.list()?.map(({ at, by, note }) => [at, by, note])).toEqual(
      before.map(({ at, by, note }) => [at, by, note]),
    )
  }, 40_000)

  it('that somebody ends there is not brought back by a member that comes later and remembers it', async (context) => {
    await using fleet = await paused(context)
    const { a, b, before, resume } = fleet
    const boot = { id: 'before', uptime: () => 0 }
    const process = {
      fact: (name: string) => b.local.facts.get(name),
      note: async (facts: Record<string, string>) => await b.local.facts.set(PAUSES.fleet, facts[PAUSES.fleet] ?? ''),
    }
    const kept = before.map(({ left, ...pause }) => ({
      ...pause,
      ...(left !== undefined && { until: endOf(left, boot, Date.now()) }),
    }))
    await new KeptPauses(process, PAUSES.fleet).replace(kept)
    for (const member of [a, b]) await member.fleet.stop()
    await cluster.sql(ANEW, fleet.url)
    await a.again()
    expect(a.fleet.pauses.list()).toEqual([])
    await b.again()
    expect(b.fleet.pauses.list()?.toSorted(byRoute)).toEqual(same(before.toSorted(byRoute)))
    expect(await resume('rated')).toEqual({ was: true, routes: ['plain'] })
    expect(await resume('rated')).toEqual({ was: false, routes: ['plain'] })
    // One that has not seen the database since it was made anew.
    await b.local.facts.set('fleet store', 'the one before')
    await b.again()
    expect(b.fleet.pauses.list()?.map(({ route }) => route)).toEqual(['plain'])
  }, 30_000)

  it('is not told where the store is the same one, nor under another address', async (context) => {
    await using fleet = await paused(context)
    const { b, resume } = fleet
    await b.fleet.stop()
    await b.local.facts.set(PAUSES.fleet, JSON.stringify(fleet.before.map(({ left: _, ...pause }) => pause)))
    await resume('rated')
    await b.again()
    expect(b.fleet.pauses.list()?.map(({ route }) => route)).toEqual(['plain'])
    await using moved = await new Member('b', await cluster.database(), b.local).start()
    expect(moved.fleet.pauses.list()).toEqual([])
  }, 30_000)
})

function byRoute(one: FleetPause, other: FleetPause): number {
  return (one.route ?? '').localeCompare(other.route ?? '')
}
