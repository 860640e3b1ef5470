import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, VirtualBench } from '../../../support/virtual.ts'

describe('§4: a handler that sleeps', () => {
  it('leaves its slot to others, and starts again from its top when the time is over', async () => {
    const notes: string[] = []
    const bench = new VirtualBench({
      settings: { concurrency: 1, claim: { maxHold: HOUR } },
      handle: async ({ content }, ctx) => {
        if (content === 'other') return void notes.push('other')
        await ctx.step('one', () => notes.push('one'))
        await ctx.sleep('for a while', '20s')
        notes.push(`awake as attempt ${ctx.attempt}`)
      },
    })
    const id = bench.send('work')
    await bench.pass(5_000)
    const other = bench.send('other')
    await bench.pass(12_000)
    expect([notes, bench.emulator.clink(other)?.status]).toEqual([['one', 'other'], 'completed'])
    expect(bench.emulator.clink(id)?.status).toBe('claimed')
    await bench.pass(10_000)
    expect([notes, bench.emulator.clink(id)?.status]).toEqual([['one', 'other', 'awake as attempt 1'], 'completed'])
    const [asleep] = bench.all('clink.held')
    expect(asleep).toMatchObject({ why: 'it sleeps: for a while', wait: expect.closeTo(20_000, -2) })
    await bench.stop()
  })

  it('sleeps each time for its own, and costs no attempt however often', async () => {
    const attempts: number[] = []
    const bench = new VirtualBench({
      settings: { retry: { attempts: 2 }, claim: { maxHold: HOUR } },
      handle: async (_, ctx) => {
        attempts.push(ctx.attempt)
        for (const n of [1, 2, 3, 4]) await ctx.sleep(`night ${n}`, MINUTE)
      },
    })
    bench.send('work')
    await bench.pass(5 * MINUTE)
    expect([attempts, bench.all('clink.completed').length]).toEqual([[1, 1, 1, 1, 1], 1])
  })

  it('may be set a clock back meanwhile: it sleeps no longer', async () => {
    const bench = new VirtualBench({
      settings: { claim: { maxHold: HOUR } },
      handle: async (_, ctx) => await ctx.sleep('for a while', MINUTE),
    })
    bench.send('work')
    await bench.pass(30_000)
    bench.wallJump = -HOUR
    await bench.pass(35_000)
    expect(bench.all('clink.completed')).toHaveLength(1)
  })

  it('sleeps anew for a clink that says something else by now', async () => {
    const bench = new VirtualBench({
      settings: { claim: { maxHold: HOUR, exclusive: true }, poll: { sweep: MINUTE } },
      handle: async (_, ctx) => await ctx.sleep('for a while', 2 * MINUTE),
    })
    const id = bench.send('work')
    await bench.pass(MINUTE)
    const held = bench.ledger.process.claims()[0]?.clink
    if (held === undefined) throw new Error('it is not held')
    const other = { ...held, content: 'something else' }
    const sleep = { at: bench.clock.wall() + 10 * MINUTE, for: 10 * MINUTE }
    const end = bench.ledger.steps.endOf(other, 'for a while', sleep, bench.clock, true)
    expect([held.clink_id, end - bench.clock.now()]).toEqual([id, 10 * MINUTE])
    await bench.stop()
  })

  it('whose sleep is longer than a clink is held gives it back, and goes on when it comes again', async () => {
    const notes: string[] = []
    const bench = new VirtualBench({
      settings: { claim: { maxHold: MINUTE, exclusive: true }, poll: { sweep: MINUTE } },
      handle: async (_, ctx) => {
        await ctx.step('one', () => notes.push('one'))
        await ctx.sleep('overnight', HOUR)
        notes.push('awake')
      },
    })
    const id = bench.send('work')
    await bench.pass(59 * MINUTE)
    expect(bench.all('clink.released')).toMatchObject([{ why: 'hold-too-long' }])
    expect([notes, bench.emulator.clink(id)?.status]).toEqual([['one'], 'pending'])
    await bench.pass(5 * MINUTE)
    expect([notes, bench.emulator.clink(id)?.status]).toEqual([['one', 'awake'], 'completed'])
  })

  it.each<[what: string, then: () => unknown]>([
    ['returns', () => 'done all the same'],
    [
      'throws something else',
      () => {
        throw new Error('it was caught')
      },
    ],
  ])('catches that and %s: it has failed, and is told so', async (_, then) => {
    const bench = new VirtualBench({
      settings: { retry: { attempts: 1 } },
      handle: async (__, ctx) => {
        try {
          await ctx.sleep('for a while', '20s')
        } catch {
          return then()
        }
        return undefined
      },
    })
    bench.send('work')
    await bench.pass(MINUTE)
    expect(bench.all('clink.deadLettered')).toMatchObject([
      { reason: expect.stringMatching(/^"for a while" is a sleep, which ends the run, and the handler went on/) },
    ])
  })

  it('and forgets to wait for that has failed, and is told so', async () => {
    const bench = new VirtualBench({
      settings: { retry: { attempts: 1 } },
      handle: async (_, ctx) => {
        void ctx.sleep('for a while', '20s')
        await Promise.resolve()
      },
    })
    bench.send('work')
    await bench.pass(MINUTE)
    expect(bench.all('clink.deadLettered')).toMatchObject([{ reason: expect.stringContaining('is a sleep') }])
  })

  it('says what is no duration', async () => {
    const bench = new VirtualBench({
      settings: { retry: { attempts: 1 } },
      // @ts-expect-error -- handlers need not be checked by a compiler
      handle: async (_, ctx) => await ctx.sleep('for a while', 'soon'),
    })
    bench.send('work')
    await bench.pass(MINUTE)
    expect(bench.all('clink.deadLettered')).toMatchObject([
      { reason: 'ctx.sleep: "soon" is not a duration; write 250ms, 30s, 5m, 1h, or milliseconds' },
    ])
  })

  it('many may sleep at the same time, far more than may run, and all stay in hand', async () => {
    const bench = new VirtualBench({
      settings: { concurrency: 2, claim: { maxHold: HOUR } },
      handle: async (_, ctx) => await ctx.sleep('for a while', 10 * MINUTE),
    })
    const ids = Array.from({ length: 60 }, (_, n) => bench.send(`work ${n}`))
    await bench.pass(5 * MINUTE)
    expect(bench.all('clink.released')).toEqual([])
    expect(new Set(ids.map((id) => bench.emulator.clink(id)?.status))).toEqual(new Set(['claimed']))
    await bench.pass(10 * MINUTE)
    expect(bench.all('clink.completed')).toHaveLength(60)
  })
})
