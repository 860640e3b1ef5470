import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, VirtualBench } from '../../support/virtual.ts'

const SECOND = 1_000
/** Pages of the inbox, which this worker leaves alone. */
const PAGES = 20
const SHORTEST = 500

/** Its route is paused, and every clink that it would take has failed; another route is open, for which the inbox is polled. */
async function paused(backoff = SECOND) {
  const starts: string[] = []
  const bench = new VirtualBench({
    settings: {
      claim: { exclusive: true, maxHold: HOUR },
      inbox: { claim: 'select', ignore: ['user_alice'] },
      poll: { interval: SHORTEST, maxInterval: SHORTEST },
      retry: { attempts: 5, backoff, maxBackoff: backoff },
    },
    switches: { maxLimit: 'cap:20' },
    limits: { concurrency: 10 },
    handle: async ({ content }) => {
      starts.push(content)
      if (content.startsWith('bad')) throw new Error('away')
      return await Promise.resolve('done')
    },
  })
  const leaveAlone = (age = 0): void => void bench.emulator.send('ops', 'left alone', { from: 'alice', age })
  for (let n = PAGES * 20; n > 0; n -= 1) leaveAlone(n * SECOND)
  for (let n = 0; n < 5; n += 1) bench.send(`bad ${n}`)
  await bench.pass(5 * MINUTE)
  expect(bench.daemon.snapshot().paused).toEqual(['test'])
  const looks = (): number => bench.sent.filter(({ path }) => path.startsWith('/inbox')).length
  return { bench, leaveAlone, starts: () => starts, looks }
}

describe('P10, P12, §4: a look for a fresh clink that may probe a paused route', () => {
  it('costs a page a second at most where the inbox has none, however short the waits are', async () => {
    const { bench, starts, looks } = await paused()
    const before = { starts: starts().length, looks: looks() }
    await bench.pass(3 * MINUTE)
    const probes = starts().length - before.starts
    expect(probes).toBeGreaterThan(150)
    // The jitter takes half of each wait at most.
    const polls = (3 * MINUTE) / (SHORTEST / 2)
    expect(looks() - before.looks).toBeLessThan(probes + polls + 3 * 60)
    await bench.stop()
  })

  it('brings what came while no probe was due', async () => {
    // They are listed long before.
    const { bench, leaveAlone, starts } = await paused(PAGES * SECOND)
    for (let n = 0; n < 10; n += 1) {
      const before = starts().length
      while (starts().length === before) await bench.pass(10)
      bench.send(`bad, and new ${n}`)
      await bench.pass(SECOND)
      leaveAlone()
      while (starts().length === before + 1) await bench.pass(10)
      expect(starts().at(-1)).toBe(`bad, and new ${n}`)
      // Until no look finds a fresh one any more.
      await bench.pass(MINUTE)
    }
    await bench.stop()
  })

  it('brings what was released as soon as the whole inbox may be looked at', async () => {
    const { bench, leaveAlone, starts } = await paused()
    const id = bench.send('good')
    const now = bench.emulator.now()
    bench.emulator.changeClink(id, {
      status: 'claimed',
      claim: { by: 'user_bob', key: 'bob', session: 'web', at: now, expires: now + 6 * MINUTE },
    })
    await bench.pass(MINUTE)
    leaveAlone()
    await bench.pass(5 * MINUTE)
    expect(starts()).not.toContain('good')
    await bench.pass((PAGES + 5) * SECOND)
    expect(starts()).toContain('good')
    expect(bench.daemon.snapshot().paused).toEqual([])
    await bench.stop()
  })
})
