import { describe, expect, it } from 'vitest'
import { SIBLINGS } from '../../src/ledger/process.ts'
import { BareFleet } from '../support/bare-fleet.ts'
import { twoMembers } from '../support/fleet.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { requests } from '../support/record.ts'
import { benchOf } from '../support/paused.ts'

const cluster = clusterOfFile()
const URL = 'https://clink.test'

describe('what one member of a fleet has found out about siblings', () => {
  it('others know with their next look, of that service and of no other', async (context) => {
    needPostgres(context)
    await using fleet = await twoMembers(await cluster.database())
    const { a, b } = fleet
    await a.ledger.process.noteServiceFact(URL, SIBLINGS, 'refused')
    expect(b.ledger.process.siblings(URL)).toBeUndefined()
    await a.again()
    await b.again()
    expect([b.ledger.process.siblings(URL), b.ledger.process.siblings('https://other.test')]).toEqual([
      'refused',
      undefined,
    ])
    // A look of its own does not make it something that this member has found out.
    expect(b.local.facts.get(SIBLINGS)).toBeUndefined()
  })

  it('is that claims are granted where any of them has seen that', async (context) => {
    needPostgres(context)
    await using fleet = await twoMembers(await cluster.database())
    const { a, b } = fleet
    await a.ledger.process.noteServiceFact(URL, SIBLINGS, 'refused')
    await a.again()
    await b.ledger.process.noteServiceFact(URL, SIBLINGS, 'granted')
    await b.again()
    await a.again()
    await b.again()
    await a.again()
    expect([a, b].map(({ ledger }) => ledger.process.siblings(URL))).toEqual(['granted', 'granted'])
    expect(await cluster.sql(`SELECT row FROM clink_worker.notes WHERE kind = 'siblings'`, fleet.url)).toBe('granted')
  })

  it('is not found out again: a worker that has to choose claims by id at once', async () => {
    class Told extends BareFleet {
      override readonly siblings = (): string => 'refused'
    }
    const bench = benchOf({ fleet: new Told(), settings: { inbox: { claim: 'select' } } })
    const id = bench.send('work')
    await bench.pass(5_000)
    expect(bench.ran).toEqual(['work'])
    expect(bench.emulator.clink(id)?.status).toBe('completed')
    expect(bench.all('worker.siblings')).toEqual([])
    expect(requests(bench.emulator, 'claim_clink')).toHaveLength(1)
    await bench.stop()
  })
})
