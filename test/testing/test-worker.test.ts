import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { defineHandler } from '../../src/index.ts'
import { testWorker, type TestWorker } from '../../src/testing/index.ts'
import { directoryWith } from '../support/handler-files.ts'

const run = promisify(execFile)
const realTime = performance.now.bind(performance)
let open: TestWorker | undefined
/** Twenty minutes after virtual time begins. */
const AT_TWENTY = Date.UTC(2026, 0, 5, 8, 20)

/** Closed after the test, also where that fails. */
async function opened(...options: Parameters<typeof testWorker>): Promise<TestWorker> {
  return (open = await testWorker(...options))
}

afterEach(async () => await open?.close())

describe('a handler that is tested with testWorker', () => {
  it('works for 50 minutes of virtual time while its claim is renewed', async () => {
    const long = defineHandler(async ({ content }, { signal }) => {
      const began = Date.now()
      await wait(50 * 60_000, undefined, { signal })
      return `${content} took ${(Date.now() - began) / 60_000} minutes`
    })
    const worker = await opened({ handlers: { long }, clinks: ['it'], config: { handlers: { timeout: '1h' } } })
    const { log, outcome, response, runs } = await worker.settled()
    expect({ log, outcome, response }).toEqual({ log: [], outcome: 'completed', response: 'it took 50 minutes' })
    expect(runs).toEqual([{ attempt: 1, route: 'long', outcome: 'done', duration: 3_000_000 }])
    expect(worker.events.filter(({ event }) => event === 'clink.renewed').length).toBeGreaterThan(10)
  })

  it('is tried again after its backoff, and given up after its last attempt', async () => {
    const handlers = {
      bad: defineHandler({ retry: { attempts: 3, backoff: '1m' }, handle: () => Promise.reject(new Error('no')) }),
    }
    const worker = await opened({ handlers, clinks: ['it'], config: { retry: { onExhausted: 'complete' } } })
    const settled = await worker.settled()
    expect(settled).toMatchObject({ outcome: 'given-up', reason: 'no', attempts: 3 })
    expect(settled.response).toContain('could not be done')
    expect(settled.runs.map(({ error }) => error?.message)).toEqual(['no', 'no', 'no'])
    expect(worker.elapsed).toBeGreaterThan(60_000)
    expect(worker.sent).toMatchObject([{ answers: worker.ids[0], to: 'user_bob' }])
  })

  it.each([
    ['released', 'the time is not right', () => defineHandler((_, ctx) => ctx.release('the time is not right'))],
    ['given-up', 'nonsense', () => defineHandler((_, ctx) => ctx.reject('nonsense'))],
    ['left-alone', 'no-route', () => defineHandler({ match: { content: /^else/ }, handle: () => '' })],
  ] as const)('is told as %s', async (outcome, reason, make) => {
    const worker = await opened({ handlers: { it: make() }, clinks: ['something'] })
    expect(await worker.settled()).toMatchObject({ outcome, reason })
  })

  it('has its log, its progress and its attempt', async () => {
    const handler = defineHandler(async (_, ctx) => {
      ctx.log.info('begun', { attempt: ctx.attempt })
      await ctx.reply('half done', { to: 'group' })
      if (ctx.attempt === 1) throw new Error('once')
      return { ok: true }
    })
    const worker = await opened({ handlers: { handler }, clinks: [{ content: 'it', from: 'alice' }] })
    const { attempts, log, response } = await worker.settled()
    expect({ attempts, response }).toEqual({ attempts: 2, response: '{"ok":true}' })
    expect(log.map(({ fields, message }) => [message, fields])).toEqual([1, 2].map((attempt) => ['begun', { attempt }]))
    const sent = worker.sent.map(({ content, to }) => [content.split('\n')[0], to])
    expect(sent).toEqual([
      ['half done', undefined],
      ['half done', undefined],
      ['{"ok":true}', 'user_alice'],
    ])
  })

  it('has as much real time as files, programs and servers take, in which no virtual time passes', async () => {
    const server = createServer((_, answer) => void setTimeout(() => answer.end('answered'), 20)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address: AddressInfo | string | null = server.address()
    const port = typeof address === 'object' ? address?.port : 0
    const handler = defineHandler(async () => {
      const began = Date.now()
      await readFile(import.meta.filename)
      const { stdout } = await run(process.execPath, ['-p', '"run"'])
      return `${stdout.trim()} in ${Date.now() - began}`
    })
    const worker = await opened({ handlers: { handler }, clinks: ['it'], config: { handlers: { timeout: '1s' } } })
    expect(await worker.settled()).toMatchObject({ response: 'run in 0' })
    // A server in the same process answers in virtual time, as everything in it does.
    const asks = defineHandler(async () => await (await fetch(`http://127.0.0.1:${port}`)).text())
    await worker.close()
    const next = await opened({ handlers: { asks }, clinks: ['it'] })
    expect(await next.settled()).toMatchObject({ response: 'answered', attempts: 1 })
    server.closeAllConnections()
    server.close()
  })

  it('loses its lease: the run is aborted, and somebody else has the clink', async () => {
    const reasons: unknown[] = []
    const handler = defineHandler(async (_, { signal }) => {
      await wait(3_600_000, undefined, { signal }).catch(() => reasons.push(signal.reason))
      throw new Error('aborted')
    })
    const worker = await opened({ handlers: { handler }, clinks: ['it'], config: { handlers: { timeout: '2h' } } })
    worker.loseLeaseAt('10s')
    expect(await worker.settled()).toMatchObject({ outcome: 'lost', attempts: 1 })
    await worker.advance('10m')
    expect(reasons).toMatchObject([{ name: 'HandlerAborted', code: 'lease-lost' }])
    expect(worker.clink().claim?.by).toBe('ap_helper')
  })

  it('runs once more after a crash, of which nothing goes on', async () => {
    const happened: string[] = []
    const handler = defineHandler(async (_, { attempt }) => {
      happened.push(`begun ${attempt}`)
      await wait(5_000)
      happened.push(`done ${attempt}`)
    })
    const worker = await opened({ handlers: { handler }, clinks: ['it'] })
    worker.crashAt('3s', { restartAfter: '2s' })
    expect(await worker.settled()).toMatchObject({ outcome: 'completed', attempts: 2 })
    expect(happened).toEqual(['begun 1', 'begun 2', 'done 2'])
    expect(worker.events.filter(({ event }) => event === 'worker.started')).toHaveLength(2)
  })

  it('does a step once, though the process crashes after it, and sleeps without a slot', async () => {
    const done: string[] = []
    const handler = defineHandler(async (_, ctx) => {
      const first = await ctx.step('first', () => done.push('first'))
      await wait(10_000)
      await ctx.sleep('a while', '20m')
      return await ctx.step('second', () => [first, ...done].join())
    })
    const worker = await opened({ handlers: { handler }, clinks: ['it'] })
    worker.crashAt('5s')
    const { outcome, response, steps } = await worker.settled()
    expect({ outcome, response }).toEqual({ outcome: 'completed', response: '1,first' })
    expect(steps.map(({ name, was }) => `${name} ${was}`)).toEqual([
      'first done',
      'first kept',
      'first kept',
      'second done',
    ])
    expect(worker.elapsed).toBeGreaterThan(20 * 60_000)
  })

  it.each([
    ['sleeps', defineHandler(async (_, ctx) => await ctx.sleep('for long', '1h')), 60],
    ['waits', defineHandler((_, ctx) => (Date.now() < AT_TWENTY ? ctx.retryAfter('40m', 'not yet') : 'done')), 40],
  ] as const)('%s while no process is there, and that time counts', async (_, handler, minutes) => {
    const worker = await opened({ handlers: { handler }, clinks: ['it'] })
    // Shorter than the claim, which stands then.
    worker.crashAt('10m', { restartAfter: '2m' })
    expect(await worker.settled()).toMatchObject({ outcome: 'completed' })
    expect(worker.elapsed / 60_000).toBeGreaterThanOrEqual(minutes)
    expect(worker.elapsed / 60_000).toBeLessThan(minutes + 1)
  })

  it('is given back by a stop, and run by the next process where there is one', async () => {
    const handler = defineHandler(async (_, { signal }) => {
      await wait(60_000, undefined, { signal })
    })
    const config = { shutdown: { drain: '1s', timeout: '4s' } }
    const stopped = await opened({ handlers: { handler }, clinks: ['it'], config })
    stopped.shutdownAt('5s', { restartAfter: 'never' })
    expect(await stopped.settled()).toMatchObject({ outcome: 'released', attempts: 1 })
    expect(stopped.clink().status).toBe('pending')
    await stopped.close()
    const restarted = await opened({ handlers: { handler }, clinks: ['it'], config })
    restarted.shutdownAt('5s')
    const settled = await restarted.settled()
    expect(settled.outcome).toBe('completed')
    expect(settled.runs.map(({ outcome }) => outcome)).toEqual(['cut-short', 'done'])
  })

  it('has its result sent again where a request fails', async () => {
    const worker = await opened({ handlers: { it: () => 'answer' }, clinks: ['it'] })
    const fault = worker.failRequests({ operation: 'complete_clink', times: 2, then: { status: 503 } })
    const cut = worker.failRequests({ operation: 'complete_clink', nth: 3, then: { cut: 'before' } })
    expect(await worker.settled()).toMatchObject({ outcome: 'completed', response: 'answer', attempts: 1 })
    expect([fault.hits, cut.hits]).toEqual([2, 1])
  })

  it('is loaded from a folder, and its worker set up as in the file, by those who say so', async () => {
    const worker = await opened({
      handlers: 'handlers',
      config: 'config.example.yaml',
      clinks: ['report 4', 'what else'],
    })
    const [report, other] = worker.ids
    expect(await worker.settled(report)).toMatchObject({ response: 'Report finished: 4 steps' })
    expect((await worker.settled(other)).response).toContain('Hello bob')
  })
})

it('a handler that is for a thread runs in this one, where time is virtual', async () => {
  const cwd = await directoryWith({
    'handlers/waits.js': `
      export default { runner: 'thread', async handle() {
        await new Promise((resolve) => setTimeout(resolve, 600_000))
        return 'done'
      } }`,
  })
  const worker = await opened({ handlers: join(cwd, 'handlers'), clinks: ['it'] })
  expect(await worker.settled()).toMatchObject({ outcome: 'completed', response: 'done' })
  expect(worker.elapsed).toBeGreaterThanOrEqual(600_000)
})

describe('testWorker', () => {
  it('takes a hundred clinks in no time, and each has its own end', async () => {
    const begun = realTime()
    const handlers = {
      it: defineHandler({ concurrency: 2, handle: async ({ content }) => (await wait(1_000), `done ${content}`) }),
    }
    const clinks = Array.from({ length: 100 }, (_, n) => `clink ${n}`)
    const worker = await opened({ handlers, clinks })
    for (const id of worker.ids) expect(await worker.settled(id)).toMatchObject({ outcome: 'completed' })
    expect(worker.elapsed).toBeGreaterThanOrEqual(50_000)
    expect(worker.elapsed).toBeGreaterThan(realTime() - begun)
  })

  it('plays the same seed in the same way', async () => {
    const times: number[] = []
    for (const seed of [1, 1, 2]) {
      const worker = await opened({ handlers: { bad: () => Promise.reject(new Error('no')) }, clinks: ['it'], seed })
      await worker.settled()
      times.push(worker.elapsed)
      await worker.close()
    }
    expect(times[1]).toBe(times[0])
    expect(times[2]).not.toBe(times[0])
  })

  it('gives the process its own time back', async () => {
    const before = [globalThis.setTimeout, Date]
    const worker = await opened({ handlers: { it: () => 'done' } })
    expect(globalThis.setTimeout).not.toBe(before[0])
    await worker.close()
    expect([globalThis.setTimeout, Date]).toEqual(before)
    const began = realTime()
    await wait(20)
    expect(realTime() - began).toBeGreaterThan(15)
  })

  it('says what is wrong', async () => {
    const it = (): string => 'done'
    await expect(testWorker({ handlers: { it: {} as never } })).rejects.toThrow(/the handler it.*handle/s)
    await expect(testWorker({ handlers: { it }, config: { retry: { attempt: 2 } } })).rejects.toThrow(
      /the config of testWorker.*retry\.attempt.*did you mean/s,
    )
    await expect(testWorker({ handlers: { it }, clinks: [5 as never] })).rejects.toThrow(/^5 is no clink/)
    await expect(testWorker({ handlers: 'nowhere' })).rejects.toThrow(/nowhere/)
    const worker = await opened({ handlers: { it: () => new Promise(() => {}) }, clinks: ['one', 'two'] })
    await expect(testWorker({ handlers: { it } })).rejects.toThrow(/another testWorker is open/)
    await expect(worker.settled()).rejects.toThrow(/which of the 2 clinks/)
    await expect(worker.settled('msg_x')).rejects.toThrow(/there is no clink msg_x/)
    await expect(worker.settled(worker.ids[0], { within: '1m' })).rejects.toThrow(
      /has come to no end in 1m of virtual time: it is claimed, attempt 1: goes on/,
    )
    await expect(worker.advance('soon' as never)).rejects.toThrow(/"soon" is no duration/)
    await expect(worker.advance(Number.NaN)).rejects.toThrow(/^NaN is no duration/)
    expect(() => worker.crashAt('1h', { restartAfter: 'newer' as never })).toThrow(/"newer" is no duration/)
    expect(() => worker.loseLeaseAt('1h', 'no-such-id')).toThrow(/there is no clink no-such-id/)
    expect(() => worker.send(5 as never)).toThrow(/^5 is no clink; write its content, or/)
    expect(() => worker.send({ from: 'bob' } as never)).toThrow(/^{ from: 'bob' } is no clink/)
    expect(() => worker.crashAt('10s')).toThrow(/10s is over/)
    expect(() => worker.failRequests({ operation: 'nothing', then: { status: 503 } })).toThrow(/operation/)
    await worker.close()
    vi.useFakeTimers()
    try {
      await expect(testWorker({ handlers: { it } })).rejects.toThrow(/vi.useFakeTimers/)
    } finally {
      vi.useRealTimers()
    }
  })
})
