import { describe, expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

const TELL = { attempts: 1, onExhausted: 'complete' } as const
const RUN = 10_000

describe('P6: a letter that is retried while a claim is on its way', () => {
  it.each([
    { claim: 'batch', isClaim: /claim=true/ },
    { claim: 'select', isClaim: /\/claim$/ },
  ] as const)('leaves that its slot, and runs after it ($claim)', async ({ claim, isClaim }) => {
    let letter: string | undefined
    const bench = new VirtualBench({
      settings: { concurrency: 1, inbox: { claim }, claim: { exclusive: true }, retry: TELL },
      handle: async ({ content }, { signal }) => {
        if (content !== 'bad') return 'done'
        if (letter === undefined) throw new Error('bad')
        await bench.take(RUN, signal)
        return 'done after all'
      },
      weather: ({ path }) => {
        if (letter !== undefined && isClaim.test(path)) retry(letter)
        return undefined
      },
    })
    let isRetried = false
    const retry = (id: string): void => {
      if (isRetried) return
      isRetried = true
      void bench.ledger.letters.retry(id).then(() => bench.daemon.retried(id))
    }
    const bad = bench.send('bad')
    await bench.pass(MINUTE)
    expect(bench.all('clink.deadLettered').map(({ clink }) => clink.clink_id)).toEqual([bad])
    letter = bad
    const good = bench.send('good')
    await bench.pass(MINUTE)

    expect(isRetried).toBe(true)
    const started = bench.all('clink.started').find(({ clink }) => clink.clink_id === good)
    expect(started?.waited).toBeLessThan(100)
    expect(bench.emulator.clink(good)?.status).toBe('completed')
    const names = bench.events.map((event) => event.event)
    expect(names.indexOf('clink.rerun')).toBeGreaterThan(names.lastIndexOf('clink.started'))
    expect(bench.all('clink.rerunDone')).toHaveLength(1)
    await bench.stop()
  })
})

it('P6: letters that wait for a slot have no more than their part of the slots that a change has left', async () => {
  const letters: string[] = []
  let [running, most] = [0, 0]
  const bench = new VirtualBench({
    settings: { concurrency: 4, claim: { exclusive: true }, retry: TELL },
    handle: async ({ content, clink_id: id }, { signal }) => {
      if (content !== 'bad') await bench.take(RUN, signal)
      else if (!letters.includes(id)) throw new Error('bad')
      else {
        most = Math.max(most, (running += 1))
        await bench.take(RUN, signal)
        running -= 1
      }
      return 'done'
    },
  })
  const bad = [bench.send('bad'), bench.send('bad')]
  await bench.pass(MINUTE)
  for (let n = 0; n < 4; n += 1) bench.send('long')
  await bench.pass(RUN / 2)
  expect(bench.daemon.snapshot().running).toBe(4)
  letters.push(...bad)
  for (const id of bad) void bench.ledger.letters.retry(id).then(() => bench.daemon.retried(id))
  await bench.pass(RUN / 10)
  bench.change({ concurrency: 2 })
  await bench.pass(MINUTE)

  expect(bench.all('clink.rerunDone')).toHaveLength(2)
  expect(most).toBe(1)
  await bench.stop()
})

it('P6: letters that run when fewer slots are left than there were keep theirs, and nothing is claimed for these', async () => {
  let [areLetters, running, most] = [false, 0, 0]
  const bench = new VirtualBench({
    settings: { concurrency: 6, claim: { exclusive: true }, retry: TELL },
    handle: async ({ content }, { signal }) => {
      if (content === 'bad' && !areLetters) throw new Error('bad')
      most = Math.max(most, (running += 1))
      await bench.take(RUN, signal)
      running -= 1
      return 'done'
    },
  })
  const bad = [bench.send('bad'), bench.send('bad'), bench.send('bad')]
  await bench.pass(MINUTE)
  areLetters = true
  for (const id of bad) void bench.ledger.letters.retry(id).then(() => bench.daemon.retried(id))
  await bench.pass(RUN / 10)
  expect(running).toBe(3)
  bench.change({ concurrency: 3 })
  const good = [bench.send('good'), bench.send('good')]
  await bench.pass(RUN / 2)
  expect(bench.all('clink.claimed').filter(({ clink }) => good.includes(clink.clink_id))).toEqual([])
  await bench.pass(MINUTE)

  expect(most).toBe(3)
  expect(good.map((id) => bench.emulator.clink(id)?.status)).toEqual(['completed', 'completed'])
  await bench.stop()
})

it('§4, P13: a clink that is lost while it waits for its place in a route keeps no slot from the letter that has the place', async () => {
  const seen: string[] = []
  let isAway = false
  const bench = new VirtualBench({
    settings: {
      concurrency: 1,
      claim: { exclusive: true, timeout: MINUTE },
      retry: { backoff: RUN, maxBackoff: RUN, onExhausted: 'complete' },
    },
    switches: { defaultTimeout: 60 },
    limits: { concurrency: 1 },
    handle: async ({ content }, ctx) => {
      const isFirst = !seen.includes(content)
      seen.push(content)
      if (content === 'letter' && isFirst) return ctx.reject('not now')
      if (content === 'waits' && isFirst) throw new Error('once more')
      if (content === 'long' && isFirst) await bench.take(10 * MINUTE, ctx.signal)
      return 'done'
    },
    weather: ({ path }) => (isAway && path.endsWith('/claim') ? 'hang' : undefined),
  })
  const letter = bench.send('letter')
  await bench.pass(RUN)
  const waits = bench.send('waits')
  await bench.pass(RUN / 5)
  const long = bench.send('long')
  await bench.pass(RUN / 5)
  expect(seen).toEqual(['letter', 'waits', 'long'])
  expect(await bench.ledger.letters.retry(letter)).toBe('rerun')
  bench.daemon.retried(letter)
  await bench.pass(RUN)
  isAway = true
  await bench.pass(2 * MINUTE)
  isAway = false
  await bench.pass(10 * MINUTE)

  expect(
    bench
      .all('clink.lost')
      .map(({ clink }) => clink.clink_id)
      .sort(),
  ).toEqual([waits, long].sort())
  expect(bench.all('clink.rerunDone')).toHaveLength(1)
  expect([waits, long].map((id) => bench.emulator.clink(id)?.status)).toEqual(['completed', 'completed'])
  await bench.stop()
})

describe.each([{ claim: 'batch' }, { claim: 'select' }] as const)(
  'P6, P12: no slot stands empty ($claim)',
  ({ claim }) => {
    it('while a letter waits for its place in a route', async () => {
      let isRetried = false
      const bench = new VirtualBench({
        settings: { concurrency: 1, inbox: { claim }, claim: { exclusive: true }, retry: TELL },
        limits: { rate: { count: 1, window: 20 * MINUTE } },
        handle: async ({ content }) => {
          if (content === 'bad' && !isRetried) throw new Error('bad')
          return await Promise.resolve('done')
        },
      })
      const bad = bench.send('bad')
      await bench.pass(25 * MINUTE)
      isRetried = true
      expect(await bench.ledger.letters.retry(bad)).toBe('rerun')
      bench.daemon.retried(bad)
      await bench.pass(RUN)
      const free = bench.send('free')
      await bench.pass(MINUTE)
      expect([bench.emulator.clink(free)?.status, bench.all('clink.rerun').length]).toEqual(['completed', 0])
      await bench.pass(8 * MINUTE)
      expect(bench.daemon.liveness()).toMatchObject({ alive: true })
      await bench.pass(15 * MINUTE)
      expect(bench.all('clink.rerunDone')).toHaveLength(1)
      await bench.stop()
    })

    it('while the route of a letter cannot be found', async () => {
      let isAway = false
      const bench = new VirtualBench({
        settings: { concurrency: 1, inbox: { claim }, claim: { exclusive: true }, retry: TELL },
        finding: ({ content }) => {
          if (content === 'bad' && isAway) throw new Error('it cannot be told')
          return undefined
        },
        handle: async ({ content }) => {
          if (content === 'bad' && bench.all('clink.deadLettered').length === 0) throw new Error('bad')
          return await Promise.resolve('done')
        },
      })
      const bad = bench.send('bad')
      await bench.pass(RUN)
      isAway = true
      expect(await bench.ledger.letters.retry(bad)).toBe('rerun')
      bench.daemon.retried(bad)
      await bench.pass(RUN)
      const good = bench.send('good')
      await bench.pass(MINUTE)
      expect([bench.emulator.clink(good)?.status, bench.all('clink.rerun').length]).toEqual(['completed', 0])
      isAway = false
      await bench.pass(MINUTE)
      expect(bench.all('clink.rerunDone')).toHaveLength(1)
      await bench.stop()
    })
  },
)
