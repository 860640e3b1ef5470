import { describe, expect, it } from 'vitest'
import { Bench, type Station, type WorkOptions } from '../../support/harness.ts'
import { answers } from '../../support/record.ts'
import { threadTargets } from '../../support/thread-targets.ts'

const once = { retry: { attempts: 1 }, concurrency: 1 } as const

/** A worker with one slot, in which the handler of this code runs in a thread. */
async function workIn(bench: Bench, code: string, settings: WorkOptions['settings'] = once): Promise<Station> {
  const target = await threadTargets({ work: code })
  return bench.work(() => {}, { target: target('work'), settings })
}

const LET_GO = /^the handler has closed the port between its thread and the worker/

/** Of those that have said something themselves. */
const WORDS: Readonly<Record<string, object>> = {
  'an error in a timer': { reason: 'nothing caught an error of the handler', said: 'too late' },
  'a rejection that nobody looks at': { reason: 'nothing caught an error of the handler', said: 'no' },
}

describe('code that would end the process ends its run only, and the slot works on', () => {
  it.each([
    [
      'parentPort.close()',
      `(await import('node:worker_threads')).parentPort.close(); await new Promise(() => {})`,
      LET_GO,
    ],
    [
      'parentPort.close() though it goes on',
      `(await import('node:worker_threads')).parentPort.close(); await new Promise((r) => setTimeout(r, 60_000))`,
      LET_GO,
    ],
    [
      'parentPort.unref()',
      `(await import('node:worker_threads')).parentPort.unref(); await new Promise(() => {})`,
      LET_GO,
    ],
    ['process.exit', 'process.exit(3)', /^the handler ended its thread with process\.exit\(3\)$/],
    [
      'an error in a timer',
      'setTimeout(() => { throw new TypeError("too late") }); await new Promise(() => {})',
      /^nothing caught an error: too late$/,
    ],
    [
      'a rejection that nobody looks at',
      'void Promise.reject(new Error("no")); await new Promise(() => {})',
      /^nothing caught an error: no$/,
    ],
    ['a loop without an end', 'for (;;);', /^timeout: the handler ran longer than 3s$/],
  ])('%s', async (name, code, reason) => {
    await using bench = await Bench.open()
    const timeout = reason.source.includes('timeout') ? 3_000 : 60_000
    const station = await workIn(bench, `async ({ content }) => { if (content === 'bad') { ${code} } return 'fine' }`, {
      ...once,
      handlers: { timeout, grace: 100 },
    })
    const [bad, good] = [bench.send('bad'), bench.send('good')]
    expect(await station.seen('clink.deadLettered', bad)).toMatchObject({ reason: expect.stringMatching(reason) })
    expect(await station.seen('clink.ended', bad)).toMatchObject(
      WORDS[name] ?? { reason: expect.stringMatching(reason) },
    )
    await bench.completed(good)
    expect(station.all('worker.failed')).toEqual([])
  })

  it('messages that a handler sends to its parent are for nobody', async () => {
    await using bench = await Bench.open()
    const station = await workIn(
      bench,
      `async ({ content }) => {
        const { parentPort } = await import('node:worker_threads')
        for (const message of [null, 'text', 7, {}, { say: 'ended' }, { run: 1 }]) parentPort.postMessage(message)
        return content
      }`,
    )
    await bench.completed([bench.send('one'), bench.send('two')])
    expect(station.all('worker.failed')).toEqual([])
    expect(station.all('clink.ended').map(({ outcome }) => outcome)).toEqual(['done', 'done'])
  })

  it('the start of a thread is no time of the run, and no silence', async () => {
    await using bench = await Bench.open()
    const slow = 'setTimeout(resolve, isMainThread ? 0 : 2_000)'
    const station = await workIn(
      bench,
      `await import('node:worker_threads').then(({ isMainThread }) => new Promise((resolve) => ${slow})).then(() => () => 'fine')`,
      { ...once, handlers: { timeout: 1_500, idle: 1_000 } },
    )
    await bench.completed(bench.send('hello'))
    expect(station.all('clink.deadLettered')).toEqual([])
  })

  it('an error that an earlier run has left behind fails no other, and is told of under its own clink', async () => {
    await using bench = await Bench.open()
    const station = await workIn(
      bench,
      `async ({ content }) => {
        if (content === 'first') setTimeout(() => { throw Object.assign(new Error('left'), { code: 'E_LEFT' }) }, 200)
        if (content === 'second') await new Promise((resolve) => setTimeout(resolve, 500))
        return content
      }`,
    )
    const [first, second, third] = [bench.send('first'), bench.send('second'), bench.send('third')]
    await bench.completed([first, second, third])
    expect(station.all('clink.deadLettered')).toEqual([])
    const [said, ...others] = station.all('clink.log')
    expect(others).toEqual([])
    expect(said).toMatchObject({ level: 'error', message: 'after its end: nothing caught an error: left' })
    expect(said?.clink.clink_id).toBe(first)
    expect(said?.fields?.['error']).toMatchObject({ code: 'E_LEFT' })
  })
})

describe('what comes back is what inline reads', () => {
  it.each([
    ['a function', '() => () => 1', /a function: return text/],
    ['a cycle', '() => { const a = {}; a.a = a; return a }', /what cannot be sent as JSON/],
    ['a Map', '() => new Map()', /an object of the class Map/],
  ])('%s is a failed run that says so', async (_, code, reason) => {
    await using bench = await Bench.open()
    const station = await workIn(bench, code)
    const id = bench.send('hello')
    expect(await station.seen('clink.deadLettered', id)).toMatchObject({ reason: expect.stringMatching(reason) })
  })

  it('an error keeps its name, message, code, cause and stack', async () => {
    await using bench = await Bench.open()
    const station = await workIn(
      bench,
      `() => { throw Object.assign(new RangeError('outer', { cause: new TypeError('inner') }), { code: 'E_OUTER' }) }`,
    )
    const id = bench.send('hello')
    const { error } = await station.seen('clink.ended', id)
    expect(error).toMatchObject({ name: 'RangeError', message: 'outer', code: 'E_OUTER' })
    expect(error?.cause).toMatchObject({ name: 'TypeError', message: 'inner' })
    expect(error?.stack).toMatch(/RangeError: outer\n +at .*work\.js/)
  })

  it('data is JSON', async () => {
    await using bench = await Bench.open()
    await workIn(bench, '() => ({ at: new Date(0), list: [1, undefined] })')
    await bench.completed(bench.send('hello'))
    expect(answers(bench.emulator)).toMatchObject([{ content: '{"at":"1970-01-01T00:00:00.000Z","list":[1,null]}' }])
  })
})
