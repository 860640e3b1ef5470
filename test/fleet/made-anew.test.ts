import { expect, it } from 'vitest'
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
