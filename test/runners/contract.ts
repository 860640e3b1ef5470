import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { LONGEST } from '../../src/base/cut-text.ts'
import { HandlerAborted } from '../../src/handlers/handler.ts'
import type { Target } from '../../src/handlers/route.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import type { Outcome } from '../../src/runners/outcome.ts'
import type { Envelope } from '../../src/runners/envelope.ts'
import type { Runner, Running, TaskServices } from '../../src/runners/runner.ts'
import { Run } from '../../src/worker/execution/run.ts'
import { SignsOfLife } from '../../src/worker/execution/signs-of-life.ts'
import { collect } from '../support/collect.ts'
import { clink } from '../support/handler-files.ts'
import { Bench, until, type Station, type WorkOptions } from '../support/harness.ts'
import { noServices } from '../support/task-services.ts'
import { answers, times } from '../support/record.ts'

/** Handlers that each runner is tested with, each in what the runner executes. */
export interface Samples {
  /** Answers `done: ` and the text of the clink. */
  readonly answers: Target
  /** Ends without an answer. */
  readonly ends: Target
  /** Asks to be run again after nine seconds, since it is `busy`. */
  readonly waits: Target
  /** Gives the clink back, since it is `not mine`. */
  readonly releases: Target
  /** Rejects it: `no such target`. */
  readonly rejects: Target
  /** Fails with `the door sticks`. */
  readonly fails: Target
  /** Answers with what it was told: the JSON of its envelope. */
  readonly tells: Target
  /** Answers with two mebibytes of `x`. */
  readonly floods: Target
  /** Sends the progress `half done`, logs `at it` with `{ step: 1 }`, tries to claim, and answers with the message of what refuses that. */
  readonly uses: Target
  /** Its step `one` sends `half done`, and comes to `one of attempt ` with the number. Then the first attempt fails, and others answer with that. */
  readonly steps: Target
  /** Sleeps for a second, and answers then `slept, attempt ` with the number. */
  readonly sleeps: Target
  /** Logs `begun`, waits until it is aborted, and fails then with the code of its abort. */
  readonly obeys: Target
  /** Logs `begun`, waits until it is asked to finish soon, and answers `finished early`. */
  readonly finishes: Target
  /** Shows twenty times, every 300 ms, that it goes on, and answers `alive` then. */
  readonly lives: Target
  /** Logs `begun` and ignores its abort. It answers `too late` when the test is over. */
  readonly ignores: Target
}

export interface Contracted {
  readonly runner: Runner
  readonly samples: Samples
  /** Lets go what ignores its abort. */
  readonly end: () => void
}

export interface Kind {
  /** What it runs can be ended whatever it does. */
  readonly kills: boolean
  /** What is said against a claim. Default: what `ctx.api` says. */
  readonly refusal?: RegExp
  /** How many runs of it a test may start at a time. Default: 50. */
  readonly atOnce?: number
  /** Its runs are over with their abort, whatever their code does: nobody can know. */
  readonly letsGo?: true
  /** It takes a while until all of what has ended is known to be gone. */
  readonly isSlow?: true
}

/** What holds for every runner, alone and in a worker. */
export function itKeepsTheContract(make: () => Contracted, kind: Kind): void {
  const { atOnce = 50, isSlow = false, kills, letsGo = false, refusal = /^ctx\.api\.claimClink .* is refused/ } = kind
  const ends = kills || letsGo
  const short = { handlers: { timeout: 300, grace: isSlow ? 3_000 : 200 }, retry: { attempts: 1 } } as const

  describe.concurrent('alone', () => {
    it.each<[keyof Samples, object]>([
      ['answers', { outcome: 'done', response: 'done: hello' }],
      ['ends', { outcome: 'done' }],
      ['waits', { outcome: 'retry', after: 9_000, reason: 'busy' }],
      ['releases', { outcome: 'release', reason: 'not mine' }],
      ['rejects', { outcome: 'reject', reason: 'no such target' }],
    ])('says as data what came of one that %s', async (name, outcome) => {
      expect(await start(make(), name).running.ended).toMatchObject(outcome)
    })

    it('says why one has failed, as data that JSON holds', async () => {
      const outcome = await start(make(), 'fails').running.ended
      expect(outcome).toMatchObject({ outcome: 'failed', error: { message: 'the door sticks' } })
      expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome)
    })

    it('tells its handler all that is in the envelope', async () => {
      const outcome = await start(make(), 'tells').running.ended
      expect(JSON.parse(responseOf(outcome))).toEqual(ENVELOPE)
    })

    it('passes on that the run must end, with the reason', async () => {
      const { abort, logged, running } = start(make(), 'obeys')
      await until(() => logged.includes('begun'), 'it has begun')
      abort.abort(new HandlerAborted('cancelled', 'by the test'))
      expect(await running.ended).toMatchObject({ outcome: 'failed', error: { message: 'cancelled' } })
    })

    it('passes on an abort that comes before its code has begun', async () => {
      const { abort, running } = start(make(), 'obeys')
      abort.abort(new HandlerAborted('cancelled', 'by the test'))
      expect(await running.ended).toMatchObject({ outcome: 'failed' })
    })

    it('passes on that the run should end soon', async () => {
      const { draining, logged, running } = start(make(), 'finishes')
      await until(() => logged.includes('begun'), 'it has begun')
      draining.abort()
      expect(await running.ended).toEqual({ outcome: 'done', response: 'finished early' })
    })

    if (letsGo) {
      it('is over with its abort, whatever its code does', async () => {
        const { abort, logged, running } = start(make(), 'ignores')
        await until(() => logged.includes('begun'), 'it has begun')
        abort.abort(new HandlerAborted('timeout', 'by the test'))
        expect(await running.ended).toMatchObject({ outcome: 'failed', error: { message: 'timeout' } })
      })
    } else {
      it(`is not over while its code runs, ${kills ? 'and can be killed' : 'and cannot be killed'} (P11)`, async () => {
        const one = make()
        const { abort, logged, running } = start(one, 'ignores')
        await until(() => logged.includes('begun'), 'it has begun')
        abort.abort(new HandlerAborted('timeout', 'by the test'))
        const first = await Promise.race([running.ended, start(make(), 'answers').running.ended])
        expect(first).toEqual({ outcome: 'done', response: 'done: hello' })
        expect(running.kill === undefined).toBe(!kills)
        if (kills) running.kill?.()
        else one.end()
        expect((await running.ended).outcome).toBe(kills ? 'failed' : 'done')
      })
    }

    it('runs many at once, and mixes none of them up', async () => {
      const one = make()
      const texts = Array.from({ length: atOnce }, (_, n) => `clink ${n}`)
      const outcomes = await Promise.all(texts.map(async (text) => await start(one, 'answers', text).running.ended))
      expect(outcomes.map(responseOf)).toEqual(texts.map((text) => `done: ${text}`))
    })

    it('keeps nothing of a run that is over once others have followed', async () => {
      const one = make()
      const services = await servicesOfOneRun(one)
      for (let n = 0; n < 3; n += 1) await start(one, 'answers').running.ended
      await until(() => {
        collect()
        return services.deref() === undefined
      }, 'what the run was given is collected')
    })

    it('takes an answer of any length, of which the worker keeps a part that says so', async () => {
      const { runner, samples } = make()
      const task = { target: samples.floods, envelope: ENVELOPE, env: {}, services: servicesWith(() => {}) }
      const policy = { timeout: 60_000, idle: null, grace: 1 }
      const clock = systemClock()
      const signs = new SignsOfLife(clock)
      const rest = { clock, emit: () => {}, facts: { clink: ENVELOPE.clink }, policy, signs }
      const response = responseOf(await new Run({ task, runner, ...rest }).start())
      expect([response.length, response.slice(-40)]).toEqual([
        LONGEST.response,
        expect.stringContaining('cut: 2097152'),
      ])
    })
  })

  describe.concurrent('in a worker', () => {
    it('completes the clink with the answer', async () => {
      await using bench = await Bench.open()
      const ids = bench.sendMany(8)
      work(bench, make(), 'answers', { settings: { concurrency: 3 } })
      await bench.completed(ids)
      expect(
        answers(bench.emulator)
          .map(({ content }) => content)
          .sort(),
      ).toEqual(ids.map((_, n) => `done: task ${n}`).sort())
    })

    it('gives its handler the services of the worker, and refuses claims', async () => {
      await using bench = await Bench.open()
      const id = bench.send('hello')
      const station = work(bench, make(), 'uses')
      await bench.completed(id)
      expect(answers(bench.emulator)).toMatchObject([{ content: expect.stringMatching(refusal) }])
      expect(bench.emulator.clinks().map(({ content }) => content)).toContain('half done')
      expect(station.all('clink.log', id)).toMatchObject([{ level: 'info', message: 'at it', fields: { step: 1 } }])
    })

    it('does a step once for a clink, and sends once what it sends (§4)', async () => {
      await using bench = await Bench.open()
      const id = bench.send('hello')
      const station = work(bench, make(), 'steps', { settings: { retry: { backoff: 100 } } })
      await bench.completed(id)
      const contents = bench.emulator.clinks().map(({ content }) => content)
      expect(contents.sort()).toEqual(['half done', 'hello', 'one of attempt 1'])
      expect(station.all('clink.step', id).map(({ was }) => was)).toEqual(['done', 'kept'])
    })

    it('one that sleeps holds its clink without a slot, and costs no attempt (§4)', async () => {
      await using bench = await Bench.open()
      const id = bench.send('hello')
      const station = work(bench, make(), 'sleeps', { settings: { concurrency: 1 } })
      await station.seen('clink.held', id)
      expect([station.daemon.snapshot().running, bench.status(id)]).toEqual([0, 'claimed'])
      await bench.completed(id)
      expect(answers(bench.emulator)).toMatchObject([{ content: 'slept, attempt 1' }])
      expect(station.all('clink.ended', id).map(({ outcome }) => outcome)).toEqual(['asleep', 'done'])
    })

    it('a run past its timeout has failed, and says how long it may take', async () => {
      await using bench = await Bench.open()
      const id = bench.send('hello')
      const station = work(bench, make(), 'obeys', { settings: { ...short, handlers: { timeout: 300 } } })
      const { reason } = await station.seen('clink.deadLettered', id)
      expect(reason).toBe('timeout: the handler ran longer than 300ms')
      expect(station.all('clink.stuck')).toEqual([])
    })

    it('a run that shows no sign of life for `handlers.idle` has failed, and says so', async () => {
      await using bench = await Bench.open()
      const id = bench.send('hello')
      const settings = { handlers: { idle: 500 }, retry: { attempts: 1 } }
      const station = work(bench, make(), 'obeys', { settings })
      const { reason } = await station.seen('clink.deadLettered', id)
      expect(reason).toBe('timeout: the handler showed no sign of life for 500ms')
    })

    it('a run that shows that it goes on is left alone', async () => {
      await using bench = await Bench.open()
      const id = bench.send('hello')
      work(bench, make(), 'lives', { settings: { handlers: { idle: 5_000 }, retry: { attempts: 1 } } })
      await bench.completed(id)
      expect(answers(bench.emulator)).toMatchObject([{ content: 'alive' }])
    })

    if (letsGo) {
      it('one that ignores its abort has failed, and its slot works on (P11)', async () => {
        await using bench = await Bench.open()
        const station = work(bench, make(), 'ignores', { settings: { ...short, concurrency: 1 } })
        const [first, second] = [bench.send('first'), bench.send('second')]
        expect(await station.seen('clink.deadLettered', first)).toMatchObject({
          reason: expect.stringMatching(/^timeout/),
        })
        await station.seen('clink.started', second)
        expect(station.all('clink.stuck')).toEqual([])
      })
    } else {
      it(`one that ignores its abort keeps its slot ${kills ? 'until it is killed' : 'and is said to be stuck'} (P11)`, async () => {
        await using bench = await Bench.open()
        const one = make()
        const station = work(bench, one, 'ignores', { settings: { ...short, concurrency: 1 } })
        const [first, second] = [bench.send('first'), bench.send('second')]
        await station.seen('clink.stuck', first)
        if (!kills) {
          expect([station.daemon.snapshot().stuck, station.all('clink.started', second)]).toEqual([1, []])
          one.end()
        }
        await station.seen('clink.unstuck', first)
        await station.seen('clink.deadLettered', first)
        await station.seen('clink.started', second)
        one.end()
      })
    }

    it('one that loses its claim is aborted, and nothing is sent for it (P2)', async () => {
      await using bench = await Bench.open({ switches: { reclaim: 'refuse', defaultTimeout: 2 } })
      const id = bench.send('hello')
      const station = work(bench, make(), 'obeys', { settings: { claim: { timeout: 2_000 } } })
      await station.seen('clink.lost', id)
      expect(await station.seen('clink.ended', id)).toMatchObject({ outcome: 'lost', reason: 'lease-lost' })
      expect([times(bench.emulator, id, 'completed'), times(bench.emulator, id, 'released')]).toEqual([0, 0])
    })

    it('at a stop, one that finishes when it is asked to is completed (P8)', async () => {
      await using bench = await Bench.open()
      const id = bench.send('hello')
      const station = work(bench, make(), 'finishes')
      await station.seen('clink.log', id)
      await station.daemon.stop('the test says so')
      expect(answers(bench.emulator)).toMatchObject([{ content: 'finished early' }])
    })

    it('at a stop, one that is cut short is released, and costs no attempt (P8)', async () => {
      await using bench = await Bench.open()
      const id = bench.send('hello')
      const ledger = new Ledger(memoryTables())
      const station = work(bench, make(), 'obeys', { settings: { shutdown: { drain: 100 } }, ledger })
      await station.seen('clink.log', id)
      await station.daemon.stop('the test says so')
      expect(station.all('clink.ended', id)).toMatchObject([{ outcome: 'cut-short', reason: 'shutdown' }])
      expect([bench.status(id), ledger.attemptsOf(id).starts]).toEqual(['pending', 0])
    })

    it(`at a stop, one that ignores its abort is released, and ${ends ? 'ended' : 'goes on until the process ends'} (P8)`, async () => {
      await using bench = await Bench.open()
      const id = bench.send('hello')
      const one = make()
      const ledger = new Ledger(memoryTables())
      const station = work(bench, one, 'ignores', {
        settings: { shutdown: { drain: 100, timeout: isSlow ? 8_000 : 1_000 } },
        ledger,
      })
      await station.seen('clink.log', id)
      await station.daemon.stop('the test says so')
      expect(station.all('clink.ended', id)).toMatchObject(ends ? [{ outcome: 'cut-short' }] : [])
      expect([bench.status(id), ledger.attemptsOf(id).starts]).toEqual(['pending', 0])
      one.end()
    })
  })
}

const ENVELOPE: Envelope = {
  clink: clink(),
  attempt: 2,
  hops: 3,
  deadline: Date.UTC(2026, 0, 5),
  idempotencyKey: 'msg_1',
  match: { route: 'ops', text: 'hello', groups: { word: 'hello' } },
  with: { limits: [1, 2], dry: false },
}

const servicesWith = (log: TaskServices['log']): TaskServices => ({ ...noServices, log })

interface Started {
  readonly running: Running
  readonly abort: AbortController
  readonly draining: AbortController
  readonly logged: readonly unknown[]
}

function start({ runner, samples }: Contracted, name: keyof Samples, content = 'hello'): Started {
  const [abort, draining] = [new AbortController(), new AbortController()]
  const logged: unknown[] = []
  const running = runner.start({
    target: samples[name],
    envelope: { ...ENVELOPE, clink: clink({ content }) },
    env: {},
    services: servicesWith((_, message) => logged.push(message)),
    signals: { abort: abort.signal, draining: draining.signal },
  })
  return { running, abort, draining, logged }
}

/** Of a run that has ended. */
async function servicesOfOneRun({ runner, samples }: Contracted): Promise<WeakRef<TaskServices>> {
  const services = servicesWith(() => {})
  const signals = { abort: new AbortController().signal, draining: new AbortController().signal }
  const { ended } = runner.start({ target: samples.answers, envelope: ENVELOPE, env: {}, services, signals })
  expect((await ended).outcome).toBe('done')
  return new WeakRef(services)
}

function work(bench: Bench, { runner, samples }: Contracted, name: keyof Samples, options: WorkOptions = {}): Station {
  return bench.work(() => {}, { ...options, runner, target: samples[name] })
}

function responseOf(outcome: Outcome): string {
  return outcome.outcome === 'done' ? (outcome.response ?? '') : JSON.stringify(outcome)
}
