import { describe, expect, it } from 'vitest'
import { stillClaimed, story } from '../support/record.ts'
import { HOUR, MINUTE, VirtualBench, type VirtualOptions } from '../support/virtual.ts'

const SECOND = 1_000
const alice = { by: 'alice (uid 1000)' }

const drain = (bench: VirtualBench): void => void bench.daemon.worker.drain.begin(alice)

async function resume(bench: VirtualBench): Promise<void> {
  bench.daemon.worker.drain.end()
  await bench.daemon.worker.pauses.resume(undefined)
}

/** Texts: `fails` until it is told otherwise, `sleeps` for an hour, the rest takes ten seconds. */
function benchOf(options: Partial<VirtualOptions> = {}) {
  const ran: string[] = []
  const drained: string[] = []
  const bench: VirtualBench = new VirtualBench({
    settings: {
      retry: { attempts: 5, backoff: 5 * MINUTE, maxBackoff: HOUR },
      claim: { maxHold: 6 * HOUR },
      concurrency: 2,
    },
    handle: async ({ content }, ctx) => {
      ran.push(content)
      ctx.draining.addEventListener('abort', () => drained.push(content))
      if (content.startsWith('sleeps')) await ctx.sleep('long', '1h')
      if (content.startsWith('fails') && ran.filter((one) => one === content).length === 1) throw new Error('not yet')
      await bench.take(10 * SECOND, ctx.signal)
      return 'done'
    },
    ...options,
  })
  return { bench, ran, drained }
}

describe('a worker that is drained', () => {
  it('finishes what runs, gives back what waits, backs off or sleeps, takes nothing more, and stays', async () => {
    const { bench, drained, ran } = benchOf()
    const fails = bench.send('fails')
    const sleeps = bench.send('sleeps')
    await bench.pass(2 * SECOND)
    const runs = [bench.send('one'), bench.send('two')]
    await bench.pass(6 * SECOND)
    expect(bench.daemon.snapshot()).toMatchObject({ held: 2, running: 2 })
    drain(bench)
    const later = bench.send('later')
    await bench.pass(SECOND)
    expect(drained).toEqual(expect.arrayContaining(['one', 'two']))
    expect(bench.daemon.worker.drain).toMatchObject({ isDone: false })
    for (const id of [fails, sleeps]) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
    await bench.pass(15 * SECOND)
    expect(bench.daemon.worker.drain).toMatchObject({ isDone: true, inHand: 0 })
    expect(bench.all('worker.drained')).toHaveLength(1)
    for (const id of runs) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    await bench.pass(2 * HOUR)
    expect([story(bench.emulator, later), stillClaimed(bench.emulator)]).toEqual([['created'], []])
    expect(bench.daemon.readiness()).toEqual({ ready: false, reasons: ['it is drained (by alice (uid 1000))'] })
    expect(bench.daemon.liveness().alive).toBe(true)

    await resume(bench)
    await bench.pass(20 * MINUTE)
    expect(ran.toSorted()).toEqual(['fails', 'fails', 'later', 'one', 'sleeps', 'sleeps', 'two'])
    for (const id of [fails, sleeps, later]) expect(story(bench.emulator, id).at(-1)).toBe('completed')
    expect(bench.all('worker.drained')).toHaveLength(1)
    await bench.stop()
  })

  it('hides no pause, and goes on without the drain', async () => {
    const { bench } = benchOf()
    await bench.pass(SECOND)
    drain(bench)
    await bench.daemon.worker.pauses.pause({ by: 'bob' }, undefined)
    const reasons = ['it is drained (by alice (uid 1000)); it is paused (by bob)']
    expect(bench.daemon.readiness()).toEqual({ ready: false, reasons })
    await resume(bench)
    await bench.daemon.worker.pauses.pause({ by: 'bob', route: 'test' }, undefined)
    drain(bench)
    expect(bench.daemon.readiness().reasons).toEqual([
      'it is drained (by alice (uid 1000)); all its routes are paused: test (by bob)',
    ])
    await bench.stop()
  })

  it('leaves alone for the rest of their waits what it has given back, also when it takes clinks again', async () => {
    const { bench, ran } = benchOf()
    bench.send('sleeps')
    await bench.pass(2 * SECOND)
    drain(bench)
    await bench.pass(SECOND)
    await resume(bench)
    await bench.pass(55 * MINUTE)
    expect(ran).toEqual(['sleeps'])
    await bench.pass(20 * MINUTE)
    expect(ran).toEqual(['sleeps', 'sleeps'])
    await bench.stop()
  })

  it('keeps a clink whose old code goes on here until that ends: somebody else would run it beside it (P3)', async () => {
    const { bench, ran } = benchOf({
      handle: async ({ content }) => {
        ran.push(content)
        // It does not heed the loss of its claim.
        await bench.take(100 * SECOND, new AbortController().signal)
        return 'too late'
      },
      settings: { claim: { timeout: 60_000 }, retry: { attempts: 5 } },
      switches: { defaultTimeout: 60, reclaim: 'refuse' },
    })
    const id = bench.send('deaf')
    await bench.pass(70 * SECOND)
    expect(bench.all('clink.claimed')).toHaveLength(2)
    drain(bench)
    await bench.pass(20 * SECOND)
    expect(story(bench.emulator, id)).not.toContain('released')
    await bench.pass(20 * SECOND)
    expect(story(bench.emulator, id).at(-1)).toBe('released')
    expect([ran, bench.daemon.worker.drain.isDone]).toEqual([['deaf'], true])
    await bench.stop()
  })

  it('gives back what a poll that was on its way brings, and what is judged then', async () => {
    let isSlow = false
    const { bench, ran } = benchOf({
      finding: (clink) => (clink.content === 'judged' ? 4 * SECOND : undefined),
      spoil: (inner) => ({
        send: async (request) => {
          const answer = await inner.send(request)
          if (isSlow && request.path.includes('claim=true'))
            await new Promise<void>((on) => bench.time.at(bench.time.now + 5 * SECOND, on))
          return answer
        },
      }),
    })
    const judged = bench.send('judged')
    await bench.pass(SECOND)
    isSlow = true
    const polled = bench.send('polled')
    while (stillClaimed(bench.emulator).length < 2) await bench.pass(10)
    drain(bench)
    await bench.pass(SECOND)
    expect(bench.daemon.worker.drain.isDone).toBe(false)
    await bench.pass(10 * SECOND)
    expect([ran, bench.daemon.worker.drain.isDone]).toEqual([[], true])
    for (const id of [judged, polled]) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'released'])
    await bench.stop()
  })

  it('sends a release that was not answered no second time: it may take clinks again by then', async () => {
    const { bench } = benchOf({
      settings: { claim: { exclusive: true, maxHold: 6 * HOUR } },
      weather: ({ path }) => (path.endsWith('/release') ? 'reset' : undefined),
    })
    bench.send('sleeps')
    await bench.pass(2 * SECOND)
    drain(bench)
    await bench.pass(MINUTE)
    expect(bench.sent.filter(({ path }) => path.endsWith('/release'))).toHaveLength(1)
    await bench.stop()
  })

  it('leaves dead letters that are run again to whoever goes on', async () => {
    let runs = 0
    const { bench } = benchOf({
      settings: { retry: { attempts: 1, backoff: 5 * MINUTE, maxBackoff: 5 * MINUTE, onExhausted: 'complete' } },
      handle: async () => {
        runs += 1
        return await (runs < 2 ? Promise.reject(new Error('not yet')) : Promise.resolve(undefined))
      },
    })
    const id = bench.send('again')
    await bench.pass(MINUTE)
    await bench.daemon.worker.pauses.pause(alice, undefined)
    expect(await bench.ledger.retry(id)).toBe('rerun')
    bench.daemon.retried(id)
    await bench.pass(SECOND)
    expect(bench.daemon.snapshot().rerunning).toBe(1)
    drain(bench)
    await bench.pass(5 * SECOND)
    expect(bench.daemon.worker.drain).toMatchObject({ isDone: true })
    await resume(bench)
    await bench.pass(MINUTE)
    expect([runs, bench.all('clink.rerunDone').length]).toEqual([2, 1])
    await bench.stop()
  })

  it('is taken up where it was left by a stop, and is drained no more by the next process', async () => {
    const { bench, ran } = benchOf()
    drain(bench)
    await bench.pass(SECOND)
    bench.send('one')
    await bench.stop()
    expect(await bench.daemon.ended).toBe(0)
    bench.begin()
    await bench.pass(20 * SECOND)
    expect(ran).toEqual(['one'])
    await bench.stop()
  })
})
