import { expect, it } from 'vitest'
import { BareFleet } from '../../support/bare-fleet.ts'
import { benchOf, restart } from '../../support/paused.ts'
import { VirtualBench } from '../../support/virtual.ts'

/** A fleet whose store does not answer when it is told of a start, or not before it is let. */
class Deaf extends BareFleet {
  isDeaf = true
  readonly hears = Promise.withResolvers<undefined>()
  override readonly begun: BareFleet['begun'] = async (_, here) => {
    await here
    if (this.isDeaf) await this.hears.promise
  }
}

it('P8: a start that waited for the store of its fleet when its claim ran out, and then a stop came, costs no attempt', async () => {
  const fleet = new Deaf()
  const bench = benchOf({
    fleet,
    switches: { defaultTimeout: 5 },
    settings: { retry: { attempts: 1 } },
    // Renewals are not answered.
    weather: ({ path }) => (path.endsWith('/claim') && fleet.isDeaf ? 'hang' : undefined),
  })
  const id = bench.send('work')
  while (bench.all('clink.lost').length === 0) await bench.pass(100)
  expect([bench.ran, bench.ledger.attemptsOf(id).starts]).toEqual([[], 0])
  fleet.isDeaf = false
  await restart(bench)
  await bench.pass(20_000)
  expect([bench.ran, bench.emulator.clink(id)?.status]).toEqual([['work'], 'completed'])
  await bench.stop()
})

/** A fleet whose store fails when it is told of a start. */
class Failing extends BareFleet {
  override readonly begun: BareFleet['begun'] = async (_, here) => {
    await here
    this.isHealthy = false
  }
}

it('P9: a suspect that was not begun, since the store of its fleet had failed, does not run by its journal, and no crash is its own', async () => {
  const fleet = new Failing()
  const bench = benchOf({ fleet })
  const id = bench.send('work')
  await bench.ledger.outcome(id, { is: 'suspect' })
  while (bench.all('clink.held').length === 0) await bench.pass(100)
  expect([bench.ran, bench.ledger.process.fact('alone')]).toEqual([[], ''])
  expect(fleet.tables.claims.get(id)).toMatchObject({ claim: { running: false }, attempts: { count: 0 } })
  await bench.stop()
})

it('P9: a suspect whose start is not counted yet by the store of its fleet is not blamed for a crash, and is while it runs', async () => {
  const alone: unknown[] = []
  const fleet = new Deaf()
  const bench: VirtualBench = new VirtualBench({
    fleet,
    handle: async () => await Promise.resolve(void alone.push(bench.ledger.process.fact('alone'))),
  })
  const id = bench.send('work')
  await bench.ledger.outcome(id, { is: 'suspect' })
  await bench.pass(5_000)
  expect(fleet.tables.claims.get(id)).toMatchObject({ claim: { running: true }, attempts: { count: 1 } })
  expect(bench.ledger.process.fact('alone')).toBe('')
  fleet.hears.resolve(undefined)
  await bench.pass(5_000)
  expect([alone, bench.emulator.clink(id)?.status]).toEqual([[id], 'completed'])
  await bench.stop()
})
