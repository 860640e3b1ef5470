import { expect, it } from 'vitest'
import { VirtualBench } from '../../support/virtual.ts'

const SECOND = 1_000

/** A service that is too busy for six completions, and whose stop begins in the wait that follows. */
async function stoppedAfter(retryAfter: string): Promise<readonly number[]> {
  let refused = 0
  const bench = new VirtualBench({
    settings: { shutdown: { timeout: 3 * SECOND, drain: SECOND } },
    weather: ({ path }) => {
      if (!path.endsWith('/complete') || refused === 6) return undefined
      refused += 1
      return { status: 429, headers: { 'retry-after': retryAfter }, body: '{"success":false}' }
    },
    handle: async () => await Promise.resolve('done'),
  })
  const id = bench.send('work')
  while (bench.all('clink.settlementFailed').length < 6) await bench.pass(10)
  const told = bench.time.now
  const [{ wait } = { wait: 0 }] = bench.all('clink.settlementFailed').slice(-1)
  expect(wait).toBeGreaterThan(3 * SECOND)
  const stopped = bench.daemon.stop('test')
  await bench.pass(4 * SECOND)
  await stopped
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  return bench.sent.filter(({ path, at }) => path.endsWith('/complete') && at > told - 100).map(({ at }) => at - told)
}

it('P8: a stop ends the wait between two tries of a completion, but for what the service has asked for of it', async () => {
  const [, atOnce] = await stoppedAfter('0')
  expect(atOnce).toBeLessThan(100)
  const [, later] = await stoppedAfter('2')
  expect(later).toBeGreaterThan(1.9 * SECOND)
})
