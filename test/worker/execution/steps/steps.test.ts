import { describe, expect, it } from 'vitest'
import type { HandlerContext } from '../../../../src/handlers/handler.ts'
import type { LedgerTables } from '../../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../../src/ledger/memory-tables.ts'
import { MINUTE, VirtualBench, type VirtualOptions } from '../../../support/virtual.ts'

/** A handler that is run until the clink is done; the runs and what their steps did are noted. */
async function play(
  handle: (ctx: HandlerContext, note: (text: string) => void, bench: VirtualBench) => Promise<unknown>,
  options: Omit<VirtualOptions, 'handle'> = {},
) {
  const notes: string[] = []
  const bench = new VirtualBench({
    settings: { retry: { backoff: 1_000, attempts: 3 } },
    ...options,
    handle: async (_, ctx, one) => await handle(ctx, (text) => void notes.push(text), one),
  })
  const id = bench.send('work')
  await bench.pass(2 * MINUTE)
  const errors = bench.all('clink.ended').flatMap(({ error }) => error?.message ?? [])
  return { bench, id, notes, errors, status: bench.emulator.clink(id)?.status }
}

const failOnce = (ctx: HandlerContext): void => {
  if (ctx.attempt === 1) throw new Error('the first time')
}

describe('§4: a step that is done', () => {
  it('is not done again by a retry, which is given what it came to', async () => {
    const { notes, status } = await play(async (ctx, note) => {
      const one = await ctx.step('one', () => {
        note('one')
        return { n: ctx.attempt }
      })
      failOnce(ctx)
      await ctx.step('two', () => note(`two after ${one.n}`))
    })
    expect([notes, status]).toEqual([['one', 'two after 1'], 'completed'])
  })

  it('gives back what JSON makes of it, the first time and later alike', async () => {
    const seen: unknown[] = []
    await play(async (ctx) => {
      seen.push(
        await ctx.step('an object', () => ({ at: new Date(0), gone: undefined, list: [1, 'zwei'] })),
        await ctx.step('nothing', () => {}),
        await ctx.step('null', () => null),
        await ctx.step('text', () => 'text'),
      )
      failOnce(ctx)
    })
    const once = [{ at: '1970-01-01T00:00:00.000Z', list: [1, 'zwei'] }, undefined, null, 'text']
    expect(seen).toStrictEqual([...once, ...once])
  })

  it('is done again when its function throws', async () => {
    const { notes, status } = await play(async (ctx, note) => {
      await ctx.step('one', () => {
        note(`one ${ctx.attempt}`)
        failOnce(ctx)
      })
    })
    expect([notes, status]).toEqual([['one 1', 'one 2'], 'completed'])
  })

  it('is known to the next process, and to a handler that has changed', async () => {
    const tables = memoryTables()
    const first = await play(
      async (ctx, note, bench) => {
        await ctx.step('one', () => note('one'))
        await bench.take(MINUTE * 60, ctx.signal)
      },
      { tables },
    )
    first.bench.daemon.hurry()
    void first.bench.daemon.stop('another version comes')
    await first.bench.pass(MINUTE)
    const next = await play(
      async (ctx, note) => {
        await ctx.step('before it', () => note('before it'))
        note(await ctx.step('one', () => 'the new way'))
      },
      { tables },
    )
    // The clinks of both benches have the same id and text.
    expect([first.id, first.notes, next.notes]).toEqual([next.id, ['one'], ['before it', undefined]])
  })

  it('counts for nothing once its clink says something else', async () => {
    const tables = memoryTables()
    const { bench, id } = await play(
      async (ctx) => {
        await ctx.step('one', () => 1)
        throw new Error('never')
      },
      { tables },
    )
    const { clink } = bench.ledger.letters.all()[0] ?? {}
    if (clink === undefined) throw new Error(`${id} is no dead letter`)
    const kept = await bench.ledger.steps.of(clink)
    const other = await bench.ledger.steps.of({ ...clink, content: 'something else' })
    expect([[...kept.keys()], [...other.keys()]]).toEqual([['step one'], []])
  })

  it('steps may run side by side, and the run is not over before their code is (P3)', async () => {
    const { errors, notes } = await play(async (ctx, note, bench) => {
      await Promise.all([
        ctx.step('fails', () => failOnce(ctx)),
        ctx.step('goes on', async () => {
          note('begins')
          await bench.take(5_000, ctx.signal)
          note('ends')
        }),
      ])
      note('both')
    })
    expect([notes, errors]).toEqual([['begins', 'ends', 'both'], ['the first time']])
  })

  it('one that nobody waits for ends with the run, which fails by it', async () => {
    const { errors, notes } = await play(async (ctx, note, bench) => {
      void ctx.step('forgotten', async () => {
        await bench.take(1_000, ctx.signal)
        note('done')
        failOnce(ctx)
      })
      await Promise.resolve()
    })
    expect([notes, errors]).toEqual([['done', 'done'], ['the first time']])
  })
})

describe('§4: a step is refused, and says why,', () => {
  it.each<[what: string, run: (ctx: HandlerContext) => Promise<unknown>, why: RegExp]>([
    [
      'whose name is used twice in one run',
      async (ctx) => [await ctx.step('one', () => 1), await ctx.step('one', () => 2)],
      /^ctx\.step: "one" is used twice in this run/,
    ],
    [
      'whose name is that of a sleep',
      async (ctx) => [await ctx.step('one', () => 1), await ctx.sleep('one', '1s')],
      /^ctx\.sleep: "one" is used twice in this run/,
    ],
    [
      'with half a character in its name',
      async (ctx) => await ctx.step('\ud83e', () => 1),
      /^ctx\.step: .* is no name/,
    ],
    ['that sleeps for ever', async (ctx) => await ctx.sleep('one', '366d'), /^ctx\.sleep: 366d is longer than 365d$/],
    ['without a name', async (ctx) => await ctx.step('', () => 1), /^ctx\.step: "" is no name/],
    [
      'with a long name',
      async (ctx) => await ctx.step('ä'.repeat(101), () => 1),
      /is no name: write a text of 1 to 200 bytes$/,
    ],
    [
      'that comes to what JSON cannot hold',
      async (ctx) => await ctx.step('one', () => ({ map: new Map([[1, 2]]) })),
      /^step "one": its result cannot be kept: an object of the class Map at "map": in JSON it is empty/,
    ],
    ['that comes to a function', async (ctx) => await ctx.step('one', () => play), /^step "one": .* a function/],
    [
      'that comes to no number',
      async (ctx) => await ctx.step('one', () => Number.NaN),
      /^step "one": .* NaN: in JSON it is null/,
    ],
    [
      'that comes to too much',
      async (ctx) => await ctx.step('one', () => 'x'.repeat(65_535)),
      /^step "one": its result has 65537 bytes as JSON, more than 64 KiB/,
    ],
    [
      'with which too much would be kept',
      async (ctx) => {
        for (let n = 1; n <= 17; n += 1) await ctx.step(`part ${n}`, () => 'x'.repeat(65_000))
      },
      /^step "part 17": more than 1 MiB would be kept of this clink/,
    ],
  ])('%s', async (_, run, why) => {
    const { bench, errors } = await play(async (ctx) => await run(ctx))
    expect(errors).toEqual(Array.from({ length: 3 }, () => expect.stringMatching(why)))
    expect(bench.all('clink.deadLettered')).toHaveLength(1)
  })

  it('when it would begin in a run that was aborted: the reason of the abort is thrown', async () => {
    const { errors, notes } = await play(
      async (ctx, note, bench) => {
        await bench.take(20_000, new AbortController().signal)
        note(ctx.signal.aborted ? 'aborted' : 'not aborted')
        await ctx.step('one', () => note('one'))
      },
      { settings: { handlers: { timeout: 10_000 }, retry: { attempts: 1 } } },
    )
    expect(notes).toEqual(['aborted'])
    expect(errors).toEqual(['timeout: the handler ran longer than 10s'])
  })

  it('a control that it returns ends the run', async () => {
    const { bench } = await play(async (ctx) => await ctx.step('one', () => ctx.reject('no such target')))
    expect(bench.all('clink.deadLettered')).toMatchObject([{ reason: 'no such target' }])
  })
})

describe('§4: what is kept of a clink', () => {
  const kept = async (tables: LedgerTables, id: string): Promise<readonly string[]> =>
    (await tables.steps.of(id)).map(({ name }) => name)

  it('is forgotten when it is done', async () => {
    const tables = memoryTables()
    const { id, status } = await play(async (ctx) => await ctx.step('one', () => 'done'), { tables })
    expect([status, await kept(tables, id)]).toEqual(['completed', []])
  })

  it('stays with its dead letter, is not done again by a retry, and is forgotten with the letter', async () => {
    const tables = memoryTables()
    let isMended = false
    const { bench, id, notes } = await play(
      async (ctx, note) => {
        await ctx.step('one', () => note('one'))
        if (!isMended) throw new Error('broken')
        await ctx.step('two', () => note('two'))
        throw new Error('still broken')
      },
      { tables, settings: { retry: { attempts: 1, cooldown: 1_000 }, poll: { sweep: 1_000 } } },
    )
    expect(await kept(tables, id)).toEqual(['one'])
    isMended = true
    await bench.ledger.retry(id)
    bench.daemon.retried(id)
    await bench.pass(10 * MINUTE)
    expect([notes, await kept(tables, id)]).toEqual([
      ['one', 'two'],
      ['one', 'two'],
    ])
    await bench.ledger.letters.discard(id)
    expect(await kept(tables, id)).toEqual([])
  })

  it('stays with a letter whose sender was told that it failed, and is not done again by its rerun', async () => {
    const tables = memoryTables()
    let isMended = false
    const { bench, id, notes, status } = await play(
      async (ctx, note) => {
        await ctx.step('one', () => note('one'))
        if (!isMended) throw new Error('broken')
        await ctx.step('two', () => note('two'))
      },
      { tables, settings: { retry: { attempts: 1, onExhausted: 'complete' } } },
    )
    expect([status, await kept(tables, id)]).toEqual(['completed', ['one']])
    isMended = true
    await bench.ledger.retry(id)
    bench.daemon.retried(id)
    await bench.pass(MINUTE)
    expect([notes, bench.all('clink.rerunDone').length, await kept(tables, id)]).toEqual([['one', 'two'], 1, []])
  })

  it('a result that comes after the lease is kept, for it did happen (P2)', async () => {
    const { bench, notes } = await play(
      async (ctx, note, one) => {
        await ctx.step('one', async () => {
          note(`one of run ${one.all('clink.started').length}`)
          await one.take(100_000, new AbortController().signal)
        })
        note('two')
      },
      { switches: { reclaim: 'refuse', defaultTimeout: 30 }, settings: { claim: { timeout: 30_000 } } },
    )
    await bench.pass(5 * MINUTE)
    expect(bench.all('clink.lost')).not.toEqual([])
    expect([notes, bench.all('clink.completed').length]).toEqual([['one of run 1', 'two'], 1])
  })
})
