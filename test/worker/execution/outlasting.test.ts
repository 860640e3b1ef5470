import { expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

/** A worker on a ledger by which the process has ended so often while these clinks ran, whose handlers never end. */
async function withSuspects(crashes: number, ...contents: readonly string[]): Promise<VirtualBench> {
  const bench = new VirtualBench({
    settings: { concurrency: 5, handlers: { timeout: 60 * MINUTE }, claim: { timeout: MINUTE } },
    handle: async ({ content }) => await (content.startsWith('hang') ? new Promise(() => {}) : Promise.resolve('done')),
  })
  // The start has begun a count of its own.
  await bench.pass(1_000)
  await bench.ledger.process.note({ crashes: String(crashes) })
  for (const content of contents) await bench.ledger.outcome(bench.send(content), { is: 'suspect' })
  return bench
}

const completed = (bench: VirtualBench): number => bench.all('clink.completed').length
const running = (bench: VirtualBench): readonly string[] => bench.all('clink.started').map(({ clink }) => clink.content)

it.for([
  [2, 1],
  [3, 4],
  [4, 16],
] as const)(
  '§4: after %d crashes a suspect that does not end runs alone for %d minutes',
  async ([crashes, minutes]) => {
    const bench = await withSuspects(crashes, 'hang')
    await bench.pass(5_000)
    expect(running(bench)).toEqual(['hang'])
    for (let n = 0; n < 3; n += 1) bench.send(`good ${n}`)
    await bench.pass((minutes - 1) * MINUTE + 50_000)
    expect([completed(bench), bench.daemon.readiness().ready]).toEqual([0, false])
    expect(bench.daemon.readiness().reasons.join(' ')).toContain(
      `1 clink that was in hand when the process ended unexpectedly runs alone first, one at a time and for ${minutes}m 10s each at most`,
    )
    expect(bench.ledger.process.fact('alone')).toBe(bench.all('clink.started')[0]?.clink.clink_id)

    await bench.pass(15_000)
    expect([completed(bench), bench.daemon.readiness()]).toEqual([3, { ready: true, reasons: [] }])
    expect(bench.ledger.process.fact('alone')).toBe('')
    await bench.stop()
  },
)

it('§4: suspects run one after the other beside one that has not ended, and none of them is blamed', async () => {
  const bench = await withSuspects(2, 'hang 1', 'hang 2', 'hang 3')
  await bench.pass(30_000)
  expect(running(bench)).toHaveLength(1)
  await bench.pass(MINUTE)
  expect([running(bench).length, bench.ledger.process.fact('alone')]).toEqual([2, ''])
  await bench.pass(MINUTE)
  expect([running(bench).length, bench.ledger.process.fact('alone')]).toEqual([3, ''])
  bench.send('good')
  await bench.pass(2 * MINUTE)
  expect(completed(bench)).toBe(1)
  await bench.stop()
})

it('§4: the log says that it is not ready while suspects run alone, and that it is ready when it takes clinks again', async () => {
  const bench = await withSuspects(2, 'hang 1', 'hang 2')
  const said = () =>
    bench.events.flatMap(({ event }) => (event === 'worker.ready' || event === 'worker.notReady' ? event : []))
  await bench.pass(20_000)
  expect([said(), bench.daemon.readiness().ready]).toEqual([['worker.ready', 'worker.notReady'], false])
  expect(bench.daemon.readiness().reasons).toEqual([
    expect.stringMatching(
      /^2 clinks that were in hand when the process ended unexpectedly run alone first, one at a time /,
    ),
  ])
  await bench.pass(2 * MINUTE)
  expect([said(), bench.daemon.readiness().ready]).toEqual([['worker.ready', 'worker.notReady', 'worker.ready'], true])
  await bench.stop()
})
