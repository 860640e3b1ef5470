import { expect, it } from 'vitest'
import { twoMembers } from '../support/fleet.ts'
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
