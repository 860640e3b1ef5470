import { expect, it } from 'vitest'
import { answer, MINUTE, VirtualBench } from '../../support/virtual.ts'

const SECOND = 1_000

it.for(['batch', 'select'] as const)(
  'P10, §4: code that a lost claim has left behind keeps no fresh clink from probing a paused route (%s)',
  async (claim) => {
    const bench = new VirtualBench({
      switches: { defaultTimeout: 60 },
      settings: {
        concurrency: 4,
        retry: { attempts: 1, backoff: SECOND },
        inbox: { claim },
        claim: { exclusive: true, timeout: MINUTE },
      },
      // So that the first claim is lost; the next one is renewed.
      weather: ({ path }, now) =>
        path.endsWith('/claim') && now > 5 * SECOND && now < 70 * SECOND ? answer(503) : undefined,
      handle: async ({ content }) => {
        if (content === 'stubborn') await new Promise(() => {})
        if (content === 'bad') throw new Error('no')
        return 'done'
      },
    })
    bench.send('stubborn')
    await bench.pass(2 * MINUTE)
    expect(bench.all('clink.lost')).toHaveLength(1)
    for (let n = 0; n < 10; n += 1) bench.send('bad')
    await bench.pass(MINUTE)
    expect(bench.all('route.paused')).toHaveLength(1)
    const good = bench.send('good')
    await bench.pass(5 * MINUTE)

    expect(bench.emulator.clink(good)?.status).toBe('completed')
    expect(bench.all('route.resumed')).toHaveLength(1)
    await bench.stop()
  },
)
