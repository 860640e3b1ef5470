import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import { HandlerAborted } from '../../../src/handlers/handler.ts'
import type { Target } from '../../../src/handlers/route.ts'
import type { Outcome } from '../../../src/runners/outcome.ts'
import type { Envelope } from '../../../src/runners/envelope.ts'
import { ThreadRunner } from '../../../src/runners/thread/pool.ts'
import { directoryWith } from '../../support/handler-files.ts'
import { makeConfig } from '../../support/settings.ts'
import { envelopeOf, noServices } from '../../support/task-services.ts'
import { threadTargets, threadTargetsIn } from '../../support/thread-targets.ts'

/** A clock that a test moves. */
class HandClock implements Clock {
  #now = 0
  readonly #waiting = new Set<{ readonly time: number; readonly run: () => void }>()
  now = (): number => this.#now
  wall = (): number => this.#now
  at(time: number, run: () => void) {
    const one = { time, run }
    this.#waiting.add(one)
    return () => void this.#waiting.delete(one)
  }
  pass(ms: number): void {
    this.#now += ms
    for (const one of this.#waiting) {
      if (one.time > this.#now) continue
      this.#waiting.delete(one)
      one.run()
    }
  }
}

function make(clock: Clock = new HandClock()): ThreadRunner {
  const settings = { current: makeConfig('http://127.0.0.1:1') }
  const runner = new ThreadRunner({ clock, settings, service: { url: 'http://127.0.0.1:1', sessionId: 'test' } })
  onTestFinished(async () => await runner.stop())
  return runner
}

async function run(runner: ThreadRunner, target: Target, abort = new AbortController()): Promise<string> {
  const envelope: Envelope = envelopeOf()
  const draining = new AbortController().signal
  const task = { target, envelope, env: {}, services: noServices, signals: { abort: abort.signal, draining } }
  return answerOf(await runner.start(task).ended)
}

const answerOf = (outcome: Outcome): string =>
  'response' in outcome ? (outcome.response ?? '') : JSON.stringify(outcome)
const THREAD =
  "async () => `${(await import('node:worker_threads')).threadId} ${globalThis.before = (globalThis.before ?? 0) + 1}`"

it('runs that follow each other share a thread, until nothing has needed it for a minute', async () => {
  const clock = new HandClock()
  const runner = make(clock)
  const target = await threadTargets({ work: THREAD })
  const [first = '', count] = (await run(runner, target('work'))).split(' ')
  clock.pass(59_000)
  expect([count, await run(runner, target('work'))]).toEqual(['1', `${first} 2`])
  clock.pass(59_000)
  expect(await run(runner, target('work'))).toBe(`${first} 3`)
  clock.pass(60_000)
  const [last] = (await run(runner, target('work'))).split(' ')
  expect(last).not.toBe(first)
})

it('a handler in TypeScript, and what it imports, loads in a thread as it does in the process', async () => {
  const directory = await directoryWith({
    '_lib.ts': 'export const name: string = "lib"\nexport type Unused = { a: number }\n',
    'data.json': '{ "a": 1 }',
  })
  const code = `async (clink: { content: string }): Promise<string> => {
    const { name } = await import('./_lib.ts')
    const { default: data } = await import('./data.json', { with: { type: 'json' } })
    return [clink.content, name, data.a, typeof defineHandler].join()
  }`
  const { writeFiles } = await import('../../support/handler-files.ts')
  await writeFiles(directory, {
    'work.ts': `import { defineHandler } from 'clink-worker'\nimport { name as early } from './_lib.ts'\nimport json from './data.json' with { type: 'json' }\nvoid [early, json]\nexport default { match: { group: 'work' }, runner: 'thread', handle: ${code} }\n`,
  })
  const target = await threadTargetsIn(directory, {})
  expect(await run(make(), target('work' as never))).toBe('hello,lib,1,function')
})

it('a thread that is made later has the modules that its loading had, whatever became of the files', async () => {
  const directory = await directoryWith({ '_lib.js': 'export const version = 1' })
  const code = (text: string): string => `async () => '${text} ' + (await import('./_lib.js')).version`
  const old = await threadTargetsIn(directory, { work: code('old') })
  const { writeFiles } = await import('../../support/handler-files.ts')
  await writeFiles(directory, { 'work.js': 'this is no module' })
  const runner = make()
  expect(await run(runner, old('work'))).toBe('old 1')
  await rm(join(directory, 'work.js'))
  expect(await run(make(), old('work'))).toBe('old 1')
})

it('after a reload threads have the new modules, and what began with the old ones is run again with these', async () => {
  const directory = await directoryWith({})
  const runner = make()
  const old = await threadTargetsIn(directory, { work: "() => 'old'" })
  expect(await run(runner, old('work'))).toBe('old')
  const young = await threadTargetsIn(directory, { work: "() => 'new'" })
  expect([await run(runner, young('work')), await run(runner, old('work'))]).toEqual(['new', 'old'])
  expect(await run(runner, young('work'))).toBe('new')
})

it('what is aborted before its code has begun never begins, as where its claim was lost meanwhile (P2)', async () => {
  const runner = make()
  const target = await threadTargets({ work: "() => 'it ran'" })
  const abort = new AbortController()
  const ended = run(runner, target('work'), abort)
  abort.abort(new HandlerAborted('lease-lost', 'the claim is lost'))
  expect(await ended).toContain('the claim is lost')
  expect(await run(runner, target('work'))).toBe('it ran')
})

it('what cannot be loaded in a thread is no fault of the clink', async () => {
  const directory = await directoryWith({
    'work.js': `import { isMainThread } from 'node:worker_threads'
if (!isMainThread) throw new Error('only at home')
export default { match: { group: 'work' }, runner: 'thread', handle: () => {} }`,
  })
  const target = await threadTargetsIn(directory, {})
  expect(JSON.parse(await run(make(), target('work' as never)))).toMatchObject({
    outcome: 'unavailable',
    reason: 'the handler cannot be loaded in a thread: only at home',
  })
})
