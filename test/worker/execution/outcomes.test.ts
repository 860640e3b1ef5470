import { describe, expect, it } from 'vitest'
import type { HandlerContext, HandlerResult } from '../../../src/handlers/handler.ts'
import { Bench, obey, take, until } from '../../support/harness.ts'
import { answers, story, times } from '../../support/record.ts'

const cyclic: Record<string, unknown> = {}
cyclic['self'] = cyclic

const thrown = (value: unknown): never => {
  throw value
}

describe.concurrent('A handler that returns', () => {
  it.for([
    ['nothing', undefined, undefined],
    ['null', null, undefined],
    ['a text', 'hello', 'hello'],
    ['{ response }', { response: 'hello' }, 'hello'],
    ['{ response } that is an object', { response: { a: 1 } }, '{"a":1}'],
    ['a number', 42, '42'],
    ['false', false, 'false'],
    ['an object', { a: [1, 'b', null] }, '{"a":[1,"b",null]}'],
    ['a list', [1, 2], '[1,2]'],
    ['a text that is not well formed', 'a\u0000b\uD800c', undefined],
  ] as const)('%s has its clink completed with what belongs there', async ([what, value, response]) => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(() => value)
    await bench.completed(id)
    const sent = answers(bench.emulator)

    expect(station.runs).toHaveLength(1)
    if (what === 'a text that is not well formed') {
      expect(sent).toHaveLength(1)
      expect(sent[0]?.content).toMatch(/^a.?b.?c$/u)
      expect(sent[0]?.content.isWellFormed()).toBe(true)
    } else {
      expect(sent.map(({ content }) => content)).toEqual(response === undefined ? [] : [response])
      expect(sent.every((one) => one.for === bench.emulator.clink(id)?.sender_id)).toBe(true)
    }
  })

  it('a reply that is no text is told so (P14)', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(async (_, ctx) => void (await ctx.reply(JSON.parse('{}').text)))
    const { error } = await station.seen('clink.ended', id)
    expect(error?.message).toBe('ctx.reply: what is to be sent is undefined, and no text')
  })

  it('after a while is said to have taken as long', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(async (_, ctx) => await take(300, ctx))
    const { duration } = await station.seen('clink.completed', id)
    expect(duration).toBeGreaterThanOrEqual(295)
  })

  it('more than Clink takes has it shortened at a code point and marked', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(() => '😀'.repeat(5_000))
    await bench.completed(id)
    const [sent] = answers(bench.emulator)

    expect(sent?.content.length).toBeGreaterThan(4_000)
    expect(sent?.content.length).toBeLessThanOrEqual(4_096)
    expect(sent?.content.isWellFormed()).toBe(true)
    expect(sent?.content).not.toMatch(/^😀*$/u)
    expect(station.all('clink.responseShortened', id)).toHaveLength(1)
  })

  it.for([
    ['a function', () => 'x'],
    ['a cyclic object', cyclic],
    ['a bigint', 10n],
    ['a symbol', Symbol('s')],
    ['{ response } with a cyclic object', { response: cyclic }],
    ['an object whose JSON throws', { toJSON: () => thrown(new Error('no JSON')) }],
    ['an object that throws when it is read', new Proxy({ a: 1 }, { has: () => thrown(new Error('not loaded')) })],
  ])('%s has failed, and the reason says so', async ([, value]) => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(() => value as HandlerResult, { settings: { retry: { attempts: 1 } } })
    const dead = await station.seen('clink.deadLettered', id)

    expect(dead.reason.length).toBeGreaterThan(10)
    expect(times(bench.emulator, id, 'completed')).toBe(0)
    expect((await station.seen('clink.ended', id)).outcome).toBe('failed')
  })

  it('and has changed its clink, changes nothing that Clink is told (P1, P5)', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work((clink) => void Object.assign(clink, { clink_id: 'msg_other', content: 'other' }))
    await bench.completed(id)
    const { clink } = await station.seen('clink.completed')

    expect(clink).toMatchObject({ clink_id: id, content: 'work' })
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it.for(['release', 'retry', 'reject'] as const)('nothing, but made a %s and dropped it, has failed', async (kind) => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(
      (_, ctx) => {
        make(kind, ctx)
        return 'fine'
      },
      { settings: { retry: { attempts: 1 } } },
    )
    const dead = await station.seen('clink.deadLettered', id)

    expect(dead.reason).toMatch(/return|throw/)
    expect(answers(bench.emulator)).toEqual([])
  })
})

describe.concurrent.for(['returns', 'throws'] as const)('A handler that %s', (how) => {
  const give = (control: unknown): HandlerResult => (how === 'throws' ? thrown(control) : (control as HandlerResult))

  it('release gives the clink back and is not run again while it cools down, but is afterwards', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 1 } })
    const id = bench.send('work')
    const cooldown = 3_000
    const station = bench.work((_, ctx) => (station.runs.length === 1 ? give(ctx.release('not me')) : 'done'), {
      settings: { retry: { attempts: 1, cooldown } },
    })
    await bench.completed(id)

    const [first, second] = station.runsOf(id)
    expect((second?.start ?? 0) - (first?.end ?? 0)).toBeGreaterThanOrEqual(cooldown - 50)
    expect(story(bench.emulator, id).slice(0, 3)).toEqual(['created', 'claimed', 'released'])
    expect(times(bench.emulator, id, 'claimed')).toBeLessThan(8)
    expect(station.runs).toHaveLength(2)
  })

  it('retryAfter keeps the clink and is run again after that time, at least a second, for no attempt', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work((_, ctx) => (station.runs.length < 3 ? give(ctx.retryAfter('10ms', 'soon')) : 'done'), {
      settings: { retry: { attempts: 1 } },
    })
    await bench.completed(id)

    expect(station.runsOf(id)).toHaveLength(3)
    const [first, second] = station.runsOf(id)
    expect((second?.start ?? 0) - (first?.end ?? 0)).toBeGreaterThanOrEqual(950)
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it('reject is given up at once', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work((_, ctx) => give(ctx.reject('nonsense')))
    const dead = await station.seen('clink.deadLettered', id)
    await until(() => times(bench.emulator, id, 'released') > 0, 'it is released')

    expect(dead.reason).toContain('nonsense')
    expect(station.runsOf(id)).toHaveLength(1)
  })
})

describe.concurrent('A handler that waits too long', () => {
  it('by retryAfter beyond claim.maxHold has its clink released, and is not run before that time', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 1 } })
    const id = bench.send('work')
    const station = bench.work((_, ctx) => (station.runs.length === 1 ? ctx.retryAfter('4s') : 'done'), {
      settings: { claim: { timeout: 1_000, maxHold: 1_500 } },
    })
    await bench.completed(id)

    const [first, second] = station.runsOf(id)
    expect((second?.start ?? 0) - (first?.end ?? 0)).toBeGreaterThanOrEqual(3_950)
    expect(story(bench.emulator, id).slice(0, 3)).toEqual(['created', 'claimed', 'released'])
  })

  it('by many retryAfter, each within it, has its clink released when the sum is beyond', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work((_, ctx) => ctx.retryAfter('1s'), { settings: { claim: { maxHold: 2_500 } } })
    await until(() => times(bench.emulator, id, 'released') > 0, 'it is released')

    expect(station.runsOf(id).length).toBeLessThanOrEqual(4)
    expect(station.runsOf(id).length).toBeGreaterThan(1)
  })

  it('past its timeout is aborted, has failed, and runs again', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(async (_, ctx) => (station.runs.length === 1 ? await obey(ctx) : 'done'), {
      settings: { handlers: { timeout: 500 } },
    })
    await bench.completed(id)

    expect(station.runs.map(({ attempt }) => attempt)).toEqual([1, 2])
    expect(station.runs[0]?.aborted?.code).toBe('timeout')
    expect((await station.seen('clink.ended', id)).outcome).toBe('failed')
    expect(times(bench.emulator, id, 'claimed')).toBe(1)
  })
})

function make(kind: 'release' | 'retry' | 'reject', ctx: HandlerContext): void {
  if (kind === 'release') ctx.release('dropped')
  if (kind === 'retry') ctx.retryAfter('1s')
  if (kind === 'reject') ctx.reject('dropped')
}
