import { describe, expect, it } from 'vitest'
import type { HandlerContext } from '../../../src/handlers/handler.ts'
import type { Cancelled } from '../../../src/worker/cancel.ts'
import { answers, story } from '../../support/record.ts'
import { recalled } from '../../support/states.ts'
import { HOUR, MINUTE, VirtualBench, type VirtualOptions } from '../../support/virtual.ts'

const SECOND = 1_000
const WHY = 'cancelled by alice (uid 1000)'

interface Seen {
  readonly bench: VirtualBench
  readonly aborts: string[]
  readonly runs: string[]
  readonly cancel: (id: string, to?: 'release' | 'reject') => Cancelled
}

function open(
  work: (ctx: HandlerContext, bench: VirtualBench) => Promise<unknown>,
  options: Partial<VirtualOptions> = {},
): Seen {
  const aborts: string[] = []
  const runs: string[] = []
  const bench: VirtualBench = new VirtualBench({
    settings: { claim: { maxHold: HOUR }, retry: { attempts: 5, backoff: 10 * MINUTE, maxBackoff: HOUR } },
    handle: async ({ clink_id: id }, ctx) => {
      runs.push(id)
      ctx.signal.addEventListener('abort', () => aborts.push(String(ctx.signal.reason.code)))
      return await work(ctx, bench)
    },
    ...options,
  })
  return { bench, aborts, runs, cancel: (id, to = 'release') => bench.daemon.worker.cancel(id, to, WHY) }
}

const obeys = async ({ signal }: HandlerContext, bench: VirtualBench): Promise<void> => await bench.take(HOUR, signal)

describe('a clink that an operator cancels while it runs', () => {
  it('is aborted and given back, costs no attempt, and is left alone for a while', async () => {
    const { aborts, bench, cancel, runs } = open(obeys)
    const id = bench.send('long')
    await bench.pass(SECOND)
    expect(cancel(id)).toBe('aborted')
    await bench.pass(10 * MINUTE)
    expect([aborts, runs.length]).toEqual([['cancelled'], 1])
    expect(story(bench.emulator, id).slice(0, 3)).toEqual(['created', 'claimed', 'released'])
    expect(bench.all('clink.released')).toMatchObject([{ why: 'cancelled', reason: WHY }])
    expect((await recalled(bench.ledger, id)).tried.starts).toBe(0)
    expect(cancel(id)).toBe('unknown')
    await bench.stop()
  })

  it('or is a dead letter', async () => {
    const { bench, cancel } = open(obeys)
    const id = bench.send('long')
    await bench.pass(SECOND)
    expect(cancel(id, 'reject')).toBe('aborted')
    await bench.pass(SECOND)
    expect(bench.ledger.letters.get(id)).toMatchObject({ reason: WHY, attempts: 1 })
    expect(story(bench.emulator, id).slice(0, 3)).toEqual(['created', 'claimed', 'released'])
    await bench.stop()
  })

  it('of which its sender hears that it was cancelled, and nothing of who did that or why', async () => {
    const retry = { attempts: 5, backoff: 10 * MINUTE, maxBackoff: HOUR, onExhausted: 'complete' } as const
    const { bench, cancel } = open(obeys, { settings: { claim: { maxHold: HOUR }, retry } })
    const id = bench.send('long')
    await bench.pass(SECOND)
    expect(cancel(id, 'reject')).toBe('aborted')
    await bench.pass(SECOND)
    const said = answers(bench.emulator).map(({ content }) => content)
    expect(said).toEqual([`This could not be done (cancelled, ${id}).`])
    await bench.stop()
  })

  it.each<[string, (ctx: HandlerContext, bench: VirtualBench) => Promise<unknown>]>([
    ['waits for another run', async (ctx, bench) => await obeys(ctx, bench).catch(() => ctx.retryAfter('1h'))],
    ['goes to sleep', async (ctx, bench) => await obeys(ctx, bench).catch(async () => await ctx.sleep('long', '1h'))],
    ['returns nothing', async (ctx, bench) => await obeys(ctx, bench).catch(() => {})],
  ])('whose handler %s then, is given back all the same', async (_, work) => {
    const { bench, cancel, runs } = open(work)
    const id = bench.send('long')
    await bench.pass(SECOND)
    expect(cancel(id)).toBe('aborted')
    await bench.pass(SECOND)
    expect(bench.all('clink.released')).toMatchObject([{ why: 'cancelled' }])
    expect(runs).toHaveLength(1)
    await bench.stop()
  })

  it('and whose handler has a result all the same, is completed with it', async () => {
    const { bench, cancel } = open(async (ctx, bench) => await obeys(ctx, bench).catch(() => 'half of it'))
    const id = bench.send('long')
    await bench.pass(SECOND)
    expect(cancel(id)).toBe('aborted')
    await bench.pass(SECOND)
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(answers(bench.emulator)).toMatchObject([{ content: expect.stringContaining('half of it') }])
    await bench.stop()
  })

  it('while its start is being written, does not start', async () => {
    const { bench, cancel, runs } = open(obeys)
    const begin = bench.ledger.begin.bind(bench.ledger)
    let said: Cancelled | undefined
    bench.ledger.begin = async (...args) => {
      const attempt = await begin(...args)
      said = cancel(id)
      return attempt
    }
    const id = bench.send('long')
    await bench.pass(SECOND)
    expect([said, runs]).toEqual(['aborted', []])
    expect(bench.all('clink.released')).toMatchObject([{ why: 'cancelled' }])
    expect((await recalled(bench.ledger, id)).tried.starts).toBe(0)
    await bench.stop()
  })

  it('and whose handler ignores it, keeps its claim and its slot, and is stuck', async () => {
    const { bench, cancel } = open(
      async (_, { time }) => await new Promise((on) => time.at(time.now + HOUR, () => on(''))),
    )
    const id = bench.send('long')
    await bench.pass(SECOND)
    expect(cancel(id)).toBe('aborted')
    await bench.pass(10 * MINUTE)
    expect(bench.daemon.snapshot()).toMatchObject({ running: 1, stuck: 1 })
    expect(story(bench.emulator, id).at(-1)).not.toBe('released')
    await bench.stop()
  })
})

describe('a clink that an operator cancels while it does not run', () => {
  it('but backs off, is given back at once', async () => {
    const { bench, cancel, runs } = open(async () => await Promise.reject(new Error('not yet')))
    const id = bench.send('fails')
    await bench.pass(MINUTE)
    expect(bench.daemon.snapshot().held).toBe(1)
    expect(cancel(id)).toBe('waited')
    await bench.pass(SECOND)
    expect(bench.all('clink.released')).toMatchObject([{ why: 'cancelled', reason: WHY }])
    expect(story(bench.emulator, id).slice(0, 3)).toEqual(['created', 'claimed', 'released'])
    await bench.pass(30 * MINUTE)
    expect(runs).toHaveLength(1)
    const { tried } = await recalled(bench.ledger, id)
    expect([tried.starts, tried.errors]).toEqual([1, ['not yet']])
    await bench.stop()
  })

  it('but backs off, is a dead letter with the errors of its attempts', async () => {
    const { bench, cancel } = open(async () => await Promise.reject(new Error('not yet')))
    const id = bench.send('fails')
    await bench.pass(MINUTE)
    expect(cancel(id, 'reject')).toBe('waited')
    await bench.pass(SECOND)
    expect(bench.ledger.letters.get(id)).toMatchObject({ reason: WHY, errors: ['not yet', WHY], attempts: 1 })
    await bench.stop()
  })

  it('but waits for its route, is given back at once', async () => {
    const settings = { inbox: { claim: 'batch' } } as const
    const { bench, cancel, runs } = open(obeys, { settings, limits: { concurrency: 1 } })
    const ids = [bench.send('one'), bench.send('two')]
    await bench.pass(5 * SECOND)
    const waits = ids.find((id) => !runs.includes(id)) ?? ''
    expect(bench.daemon.snapshot()).toMatchObject({ running: 1, queued: 1 })
    expect(cancel(waits)).toBe('waited')
    await bench.pass(SECOND)
    expect(story(bench.emulator, waits).slice(0, 3)).toEqual(['created', 'claimed', 'released'])
    await bench.stop()
  })

  it('but of which Clink is just being told, is told of to the end', async () => {
    const { bench, cancel } = open(async () => await Promise.resolve('done'), {
      weather: ({ path }, now) => (path.endsWith('/complete') && now < MINUTE ? 'hang' : undefined),
    })
    const id = bench.send('quick')
    await bench.pass(5 * SECOND)
    expect(bench.daemon.snapshot().settling).toBe(1)
    expect([cancel(id), cancel(id, 'reject'), cancel('msg_other')]).toEqual(['late', 'late', 'unknown'])
    await bench.pass(5 * MINUTE)
    expect(story(bench.emulator, id).at(-1)).toBe('completed')
    await bench.stop()
  })
})
