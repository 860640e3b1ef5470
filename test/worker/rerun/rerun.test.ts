import type { Transport } from '../../../src/clink/transport.ts'
import { describe, expect, it } from 'vitest'
import type { Clock } from '../../../src/base/clock.ts'
import type { EmulatorOptions, FaultAction } from '../../../src/emulator/emulator.ts'
import type { HandleFunction } from '../../../src/handlers/handler.ts'
import type { RerunState } from '../../../src/ledger/dead-letters.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, obey, take, until, type Station, type WorkOptions } from '../../support/harness.ts'
import { patientClock } from '../../support/patient-time.ts'
import { answers, requests, requestsFor, story, when } from '../../support/record.ts'
import { change, exchange, seed } from '../../support/key-owners.ts'
import { clink as sample } from '../../support/sample-records.ts'
import type { Settings } from '../../support/settings.ts'
import { recalled } from '../../support/states.ts'

const GONE = 'no route takes it any more'
const TELL: Settings = { retry: { attempts: 1, onExhausted: 'complete' } }

/** A clink that was given up and whose sender was told, in a ledger that the next worker gets. */
/** The service's answers do not say whose a claim is. */
const withoutOwners = (inner: Transport): Transport => ({
  send: async (request) => {
    const answer = await inner.send(request)
    return { ...answer, body: answer.body.replaceAll(/"claimed_by":"[^"]*"/g, '"claimed_by":null') }
  },
})

type ToldOptions = EmulatorOptions & { readonly work?: WorkOptions }

class Told implements AsyncDisposable {
  readonly bench: Bench
  readonly ledger = new Ledger(memoryTables())
  readonly id: string
  readonly #options: WorkOptions

  private constructor(bench: Bench, id: string, options: WorkOptions) {
    this.bench = bench
    this.id = id
    this.#options = options
  }

  /** @param options.work how each of its workers is made. */
  static async make({ work = {}, ...options }: ToldOptions = {}, settings: Settings = TELL): Promise<Told> {
    const bench = await Bench.open(options)
    const told = new Told(bench, bench.send('work'), work)
    const first = told.work(
      () => {
        throw new Error('the first error')
      },
      { settings },
    )
    await first.seen('clink.deadLettered', told.id)
    await bench.completed(told.id)
    await first.close()
    return told
  }

  work(handle: HandleFunction, options: WorkOptions = {}): Station {
    return this.bench.work(handle, { settings: TELL, ledger: this.ledger, ...this.#options, ...options })
  }

  /** As `failed retry` does with a running worker. */
  async retry(station?: Station): Promise<void> {
    expect(await this.ledger.letters.retry(this.id)).toBe('rerun')
    station?.daemon.retried(this.id)
  }

  get step(): RerunState['step'] | undefined {
    return this.ledger.letters.get(this.id)?.rerun?.step
  }

  /** What was sent to the sender since the notice that it failed. */
  get results(): (string | undefined)[] {
    return this.bench.emulator
      .clinks()
      .filter(
        ({ clink_id, sender_id, answers: of }) => of === undefined && clink_id !== this.id && sender_id !== 'user_bob',
      )
      .map(({ content }) => content)
  }

  async over(station: Station): Promise<void> {
    await until(() => station.daemon.snapshot().rerunning === 0, 'the rerun is over')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bench[Symbol.asyncDispose]()
  }
}

describe.concurrent('A clink whose sender was told that it failed, and that is retried', () => {
  it('runs again without a claim, and its result is sent to its sender as a new clink, once (P1, §5)', async () => {
    await using told = await Told.make()
    const { bench, id, ledger } = told
    const before = requestsFor(bench.emulator, id).length
    const station = told.work(() => 'it worked')
    await told.retry(station)
    const { resultId = '' } = await station.seen('clink.rerunDone', id)
    await told.over(station)

    expect(station.runsOf(id)).toMatchObject([{ attempt: 1 }])
    expect(requestsFor(bench.emulator, id)).toHaveLength(before)
    const sender = bench.emulator.clink(id)?.sender_id
    expect(bench.emulator.clink(resultId)).toMatchObject({ content: 'it worked', for: sender })
    expect(told.results).toEqual(['it worked'])
    expect([ledger.letters.all(), ledger.attemptsOf(id).starts, (await recalled(ledger, resultId)).isOwn]).toEqual([
      [],
      0,
      false,
    ])
  })

  it('with a result that our own inbox shows is not taken for work (P15, §5)', async () => {
    const settings: Settings = { ...TELL, inbox: { for: 'anyone' } }
    await using told = await Told.make({}, settings)
    const station = told.work(() => 'it worked', { settings })
    await told.retry(station)
    const { resultId } = await station.seen('clink.rerunDone', told.id)
    await until(
      () => station.all('clink.parked').some(({ clink, why }) => clink.clink_id === resultId && why === 'own-reply'),
      'the result is left alone',
    )
    expect(told.results).toEqual(['it worked\n— clink-worker · hop 1'])
    expect(station.runs).toHaveLength(1)
  })

  it('and has nothing to say is done without anything being sent (§5)', async () => {
    await using told = await Told.make()
    const station = told.work(() => {})
    await told.retry(station)
    await station.seen('clink.rerunDone', told.id)
    expect([told.results, told.ledger.letters.all()]).toEqual([[], []])
  })

  it('and fails again keeps its letter, with the new errors and attempts counted anew (P10, §5)', async () => {
    await using told = await Told.make()
    const sent = told.bench.emulator.clinks().length
    const settings: Settings = { retry: { attempts: 2, backoff: 20, onExhausted: 'complete' } }
    const station = told.work(
      () => {
        throw new Error(`again ${station.runs.length}`)
      },
      { settings },
    )
    await told.retry(station)
    await station.seen('clink.deadLettered', told.id)
    await told.over(station)

    expect(station.runsOf(told.id).map(({ attempt }) => attempt)).toEqual([1, 2])
    expect(told.ledger.letters.get(told.id)).toMatchObject({
      attempts: 2,
      reason: 'again 2',
      errors: ['again 1', 'again 2'],
      tell: 'complete',
    })
    expect(told.step).toBeUndefined()
    expect((await recalled(told.ledger, told.id)).isGivenUp).toBe(true)
    expect(told.bench.emulator.clinks()).toHaveLength(sent)
  })

  it('and fails again is held for its backoff over the end of the process (P10)', async () => {
    await using told = await Told.make()
    const settings: Settings = { retry: { attempts: 2, backoff: 1_500, onExhausted: 'complete' } }
    const fails = (): never => {
      throw new Error('again')
    }
    const first = told.work(fails, { settings })
    await told.retry(first)
    const held = await first.seen('clink.held', told.id)
    await first.close()
    const second = told.work(() => 'it worked', { settings })
    await second.seen('clink.rerunDone', told.id)

    expect(second.runsOf(told.id)).toMatchObject([{ attempt: 2 }])
    const failedAt = first.runsOf(told.id)[0]?.end ?? Infinity
    // The wall clock is told in whole milliseconds.
    expect(second.runsOf(told.id)[0]?.start).toBeGreaterThanOrEqual(failedAt + held.wait - 2)
  })

  it('and that no route takes any more keeps what its letter knows of the starts before, each time (P10)', async () => {
    await using told = await Told.make()
    const station = told.work(() => 'it worked', { takes: () => false })
    for (const errors of [
      ['the first error', GONE],
      ['the first error', GONE, GONE],
    ]) {
      await told.retry(station)
      await until(() => told.step === undefined, 'the retry is over')
      expect(told.ledger.letters.get(told.id)).toMatchObject({ attempts: 1, reason: GONE, errors })
    }
    expect(station.all('clink.deadLettered').map(({ attempts }) => attempts)).toEqual([1, 1])
    expect(station.runs).toEqual([])
  })

  it('and that no route takes any more after it has failed again has the errors and attempts of this time (P10)', async () => {
    await using told = await Told.make()
    const settings: Settings = { retry: { attempts: 3, backoff: 1_000, onExhausted: 'complete' } }
    const fails = (): never => {
      throw new Error('again')
    }
    const first = told.work(fails, { settings })
    await told.retry(first)
    await first.seen('clink.held', told.id)
    await first.close()
    const second = told.work(fails, { settings, takes: () => false })
    await second.seen('clink.deadLettered', told.id)
    expect(told.ledger.letters.get(told.id)).toMatchObject({ attempts: 1, reason: GONE, errors: ['again', GONE] })
  })

  it('and has run longer than it may when a stop ends it has failed: it is not run anew at each start (P10, §6)', async () => {
    await using told = await Told.make()
    const gate = Promise.withResolvers<void>()
    const settings: Settings = {
      ...TELL,
      handlers: { timeout: 100, grace: 50 },
      shutdown: { timeout: 1_500, drain: 100 },
    }
    const station = told.work(async () => await gate.promise, { settings })
    await told.retry(station)
    await station.seen('clink.stuck', told.id)
    await station.daemon.stop('test')
    gate.resolve()

    expect(told.ledger.letters.get(told.id)).toMatchObject({
      attempts: 1,
      reason: expect.stringContaining('longer than 100ms'),
    })
    expect(told.step).toBeUndefined()
  })

  it.for([
    ['releases it', 'release', /gave it back: not for me/],
    ['rejects it', 'reject', /^not for me$/],
  ] as const)('keeps its letter where its handler %s (§5)', async ([, kind, reason]) => {
    await using told = await Told.make()
    const station = told.work((_, ctx) => ctx[kind]('not for me'))
    await told.retry(station)
    const dead = await station.seen('clink.deadLettered', told.id)
    expect(dead.reason).toMatch(reason)
    expect(told.step).toBeUndefined()
    expect(told.results).toEqual([])
  })

  it('waits for longer than a claim may be held, since it holds none (P10, §4)', async () => {
    await using told = await Told.make()
    const station = told.work((_, ctx) => (station.runs.length < 3 ? ctx.retryAfter('2s', 'not yet') : 'it worked'), {
      settings: { ...TELL, claim: { timeout: 1_000, maxHold: 1_500 } },
    })
    await told.retry(station)
    await station.seen('clink.rerunDone', told.id)
    expect(told.results).toEqual(['it worked'])
    expect(station.all('clink.held').map(({ why }) => why)).toEqual(['not yet', 'not yet'])
  })

  it('while no worker runs is run by the next one, also with --once (P1, §9)', async () => {
    await using told = await Told.make()
    await told.retry()
    const station = told.work(
      async (_, ctx) => {
        await take(1_000, ctx)
        return ctx.draining.aborted ? 'it was hurried' : 'it worked'
      },
      { once: {} },
    )
    expect(await station.ended()).toBe(0)
    expect(told.results).toEqual(['it worked'])
  })

  it('twice is run once (P3)', async () => {
    await using told = await Told.make()
    const station = told.work(async (_, ctx) => {
      await take(100, ctx)
      return 'it worked'
    })
    await told.retry(station)
    await until(() => station.runs.length === 1, 'it runs')
    await told.retry(station)
    await station.seen('clink.rerunDone', told.id)
    await told.over(station)
    expect([station.runs.length, told.results]).toEqual([1, ['it worked']])
  })

  it('waits for a slot, and no clink is claimed for the one that it uses (P6)', async () => {
    await using told = await Told.make()
    const { bench } = told
    const gate = Promise.withResolvers<void>()
    const station = told.work(
      async ({ clink_id }, ctx) => {
        if (clink_id === told.id) await take(400, ctx)
        else await gate.promise
        return 'it worked'
      },
      { settings: { ...TELL, concurrency: 1 } },
    )
    const one = bench.send('one')
    await until(() => station.runsOf(one).length === 1, 'the slot is taken')
    await told.retry(station)
    const two = bench.send('two')
    gate.resolve()
    await bench.completed([one, two])

    const [rerun] = station.runsOf(told.id)
    expect(rerun?.start).toBeGreaterThanOrEqual(station.runsOf(one)[0]?.end ?? Infinity)
    expect(when(bench.emulator, two, 'claimed')).toBeGreaterThanOrEqual(rerun?.end ?? Infinity)
    expect(station.mostRunning).toBe(1)
    expect(told.results).toEqual(['it worked'])
  })

  it('and is held for a short while finds its slot free after that (P6)', async () => {
    await using told = await Told.make()
    const { bench, id } = told
    const gate = Promise.withResolvers<undefined>()
    const settings: Settings = {
      concurrency: 1,
      poll: { interval: 2_000, maxInterval: 2_000 },
      retry: { attempts: 2, backoff: 1_000, onExhausted: 'complete' },
    }
    const station = told.work(
      async ({ clink_id, content }) => {
        if (content === 'one') await gate.promise
        if (clink_id === id && station.runsOf(id).length === 1) throw new Error('again')
        return 'it worked'
      },
      { settings },
    )
    const one = bench.send('one')
    await station.seen('clink.started', one)
    await told.retry(station)
    const other = bench.send('other')
    gate.resolve(undefined)
    await station.seen('clink.held', id)
    // Has the worker look at the inbox in the middle of the wait.
    change(station, bench.emulator, 'worker')
    await bench.completed([one, other])

    const again = station.runsOf(id)[1]?.end ?? Infinity
    expect(when(bench.emulator, other, 'claimed')).toBeGreaterThanOrEqual(again)
  })

  it('while no worker runs has its slot kept free by the first polls of the next one (P6)', async () => {
    await using told = await Told.make()
    const { bench } = told
    await told.retry()
    const [one, two] = [bench.send('one'), bench.send('two')]
    const handle: HandleFunction = async (_, ctx) => {
      await take(300, ctx)
      return 'it worked'
    }
    const station = told.work(handle, { settings: { ...TELL, concurrency: 2 } })
    await bench.completed([one, two])
    const first = station.all('poll.succeeded')[0]?.asked
    const freed = Math.min(...[told.id, one].map((id) => station.runsOf(id)[0]?.end ?? Infinity))

    expect(first).toBe(1)
    expect(when(bench.emulator, two, 'claimed')).toBeGreaterThanOrEqual(freed)
    expect(station.mostRunning).toBe(2)
  })

  it('never runs beside code of it that its lost claim has left behind (P3)', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const away = bench.fault({ operation: 'claim_clink' }, { status: 503 })
    const ledger = new Ledger(memoryTables())
    const gate = Promise.withResolvers<void>()
    const id = bench.send('work')
    const station = bench.work(
      async () => {
        await gate.promise
        return 'it worked'
      },
      { ledger, settings: TELL },
    )
    const { clink } = await station.seen('clink.claimed', id)
    const letter = { clink, route: 'test', attempts: 1, reason: 'no', errors: [], tell: 'complete', at: 1 } as const
    await station.seen('clink.lost', id)
    away.remove()
    await ledger.deadLetter(letter)
    expect(await ledger.letters.retry(id)).toBe('rerun')
    station.daemon.retried(id)
    await until(() => station.daemon.snapshot().rerunning === 1, 'the rerun waits')
    await station.seen('clink.parked', id)
    gate.resolve()
    await station.seen('clink.rerunDone', id)
    expect([station.runsOf(id).length, station.mostRunning]).toEqual([2, 1])
  })
})

it('a rerun that is asked for while a claim is being made to tell the sender is the only run (P5, §5)', async () => {
  await using bench = await Bench.open()
  const ledger = new Ledger(memoryTables())
  const id = bench.send('work')
  const { sender_id = '', group_id = '' } = bench.emulator.clink(id) ?? {}
  const clink = { ...sample, clink_id: id, content: 'work', sender_id, group_id }
  const letter = { clink, route: 'test', attempts: 1, reason: 'no', errors: [], tell: 'complete', at: 1 } as const
  await ledger.deadLetter({ ...letter, notice: 'it failed' })
  const station = bench.work(() => 'it worked', {
    ledger,
    settings: { ...TELL, inbox: { claim: 'select' }, claim: { exclusive: true } },
    wrap: (inner) => ({
      send: async (request) => {
        const answer = await inner.send(request)
        if (request.path.endsWith(`${id}/claim`) && station.all('clink.rerun').length === 0) {
          expect(await ledger.letters.retry(id)).toBe('rerun')
          station.daemon.retried(id)
        }
        return answer
      },
    }),
  })
  await station.seen('clink.rerunDone', id)
  await bench.completed(id)

  // Given back it could be run by whoever claims it.
  expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  expect(station.runsOf(id)).toHaveLength(1)
})

it('a rerun that does not heed its timeout is stuck, and a worker of which it has the only slot is not alive (P11, P12)', async () => {
  await using told = await Told.make()
  const never = Promise.withResolvers<void>()
  let ahead = 0
  const real = patientClock()
  const clock: Clock = {
    now: () => real.now() + ahead,
    wall: () => real.wall(),
    at: (time, run) => real.at(time - ahead, run),
  }
  const station = told.work(async () => await never.promise, {
    settings: { ...TELL, concurrency: 1, handlers: { timeout: 50, grace: 50 } },
    clock,
  })
  await told.retry(station)
  await station.seen('clink.stuck', told.id)
  expect(station.daemon.snapshot()).toMatchObject({ stuck: 1, rerunning: 1 })
  expect(station.daemon.liveness().alive).toBe(true)
  ahead = 600_000
  expect(JSON.stringify(station.daemon.liveness())).toMatch(/ignores its abort/)
  ahead = 0
  never.resolve()
  await station.seen('clink.unstuck', told.id)
})

describe.concurrent('The result of a rerun', () => {
  it.for<[string, FaultAction]>([
    ['did not arrive', { cut: 'after' }],
    ['is an error page', { status: 404, body: '<html>', effect: true }],
  ])(
    'whose answer %s is not sent again by itself, not by the next start either, and the operator is told (P5, §5)',
    async ([, lost]) => {
      await using told = await Told.make()
      const { bench, id } = told
      const fault = bench.fault({ operation: 'send_clink' }, lost)
      const station = told.work(() => 'it worked')
      await told.retry(station)
      const unknown = await station.seen('clink.resultUnknown', id)
      expect(unknown.reason).toMatch(/sent and not answered/)
      await told.over(station)
      fault.remove()
      await station.close()
      const next = told.work(() => 'computed again')
      const other = bench.send('other')
      await bench.completed(other)

      expect(requests(bench.emulator, 'send_clink')).toHaveLength(1)
      expect(told.ledger.letters.get(id)).toMatchObject({
        reason: unknown.reason,
        rerun: { step: 'unknown', response: 'it worked' },
      })
      expect(next.runsOf(id)).toEqual([])

      await told.retry(next)
      await next.seen('clink.rerunDone', id)
      expect(told.results).toEqual(['it worked', 'it worked'])
      expect(next.runsOf(id)).toEqual([])
    },
  )

  it.for([
    ['a refused rate', { status: 429 }],
    ['a key that is not taken for now', { status: 401 }],
  ] as const)('that surely was not sent, for %s, is sent when that is over, once (P5)', async ([, what]) => {
    await using told = await Told.make()
    told.bench.fault({ operation: 'send_clink', nth: 1 }, what)
    const station = told.work(() => 'it worked')
    await told.retry(station)
    await station.seen('clink.rerunDone', told.id)
    expect(requests(told.bench.emulator, 'send_clink')).toHaveLength(2)
    expect([station.runs.length, told.results]).toEqual([1, ['it worked']])
  })

  it('is neither computed nor sent with a key that may be somebody else’s (P15, §8)', async () => {
    await using told = await Told.make({ seed })
    const { bench } = told
    const station = told.work(() => 'it worked')
    await bench.completed(bench.send('so that its key is proven'))
    await exchange(station, bench.emulator, 'helper')
    await told.retry(station)
    await until(() => station.daemon.snapshot().rerunning === 1, 'it waits')
    const other = bench.send('its claim tells whose the key is')
    await station.seen('key.refused')
    expect(station.runsOf(told.id)).toEqual([])
    const { resultId = '' } = await station.seen('clink.rerunDone', told.id)
    expect(bench.emulator.clink(resultId)?.sender_id).toBe('ap_worker')
    await bench.completed(other)
  })

  it('is not computed with a key that may be somebody else’s and has come while it waited for a slot (P15, §8)', async () => {
    await using told = await Told.make({ seed })
    const { bench, id } = told
    const gate = Promise.withResolvers<void>()
    const handle: HandleFunction = async (clink, ctx) => {
      if (clink.clink_id === id) await ctx.reply('half of it')
      else await gate.promise
      return 'it worked'
    }
    const station = told.work(handle, { settings: { ...TELL, concurrency: 1 } })
    const one = bench.send('one')
    await station.seen('clink.started', one)
    await told.retry(station)
    await until(() => station.daemon.snapshot().rerunning === 1, 'it waits for the slot')
    change(station, bench.emulator, 'helper')
    await station.seen('key.changed')
    gate.resolve()
    await bench.completed(one)
    change(station, bench.emulator, 'worker')
    await station.seen('clink.rerunDone', id)

    const senders = bench.emulator.clinks().map(({ sender_id }) => sender_id)
    expect(senders).not.toContain('ap_helper')
    expect(told.results).toHaveLength(2)
  })

  it('that runs when another key comes, which may be somebody else’s, goes on with the one before (P15, §8)', async () => {
    await using told = await Told.make({ seed })
    const { bench, id } = told
    const gate = Promise.withResolvers<void>()
    const station = told.work(async (clink, ctx) => {
      if (clink.clink_id !== id) return
      await gate.promise
      await ctx.reply('half of it')
      await ctx.api.sendClink({ group_id: clink.group_id, content: 'the rest' })
    })
    await bench.completed(bench.send('so that its key is proven'))
    await told.retry(station)
    await station.seen('clink.rerun', id)
    change(station, bench.emulator, 'helper')
    await station.seen('key.changed')
    gate.resolve()
    await until(() => station.runsOf(id)[0]?.end !== undefined, 'it has run')

    const sent = bench.emulator.clinks().filter(({ content }) => /^(half of it|the rest)/.test(content))
    expect(sent.map(({ sender_id }) => sender_id)).toEqual(['ap_worker', 'ap_worker'])
    await bench.completed(bench.send('its claim tells whose the key is'))
  })

  it('is computed and sent with a new key that has claimed, where the service does not say who we are (P1, §8)', async () => {
    await using told = await Told.make({ seed, work: { wrap: withoutOwners } })
    const { bench, id } = told
    const station = told.work(() => undefined)
    await station.seen('poll.succeeded')
    change(station, bench.emulator, 'next')
    await station.seen('key.changed')
    await told.retry(station)
    const polls = station.all('poll.succeeded').length
    await until(() => station.all('poll.succeeded').length > polls + 1, 'it has looked with the new key')
    expect(station.runsOf(id)).toEqual([])
    bench.send('its claim is all that can be known')
    await station.seen('clink.rerunDone', id)
    expect([station.all('worker.identity'), station.runsOf(id).length]).toEqual([[], 1])
  })

  it('is neither computed nor sent by a start with another key than was known to be ours, before a claim tells (P15, §8)', async () => {
    await using told = await Told.make({ seed })
    const { bench, id } = told
    await told.retry()
    const strange = told.work(() => 'it worked', { key: 'helper' })
    await strange.seen('poll.succeeded')
    bench.send('its claim tells whose the key is')
    await strange.seen('key.refused')
    expect([strange.runsOf(id), told.results]).toEqual([[], []])
    const whys = strange.all('clink.held', id).map(({ why }) => why)
    expect(whys).toEqual(['the key is not known to be ours: the first claim with it will tell'])
    await strange.close()

    const ours = told.work(() => 'it worked', { key: 'next' })
    const { resultId = '' } = await ours.seen('clink.rerunDone', id)
    expect(bench.emulator.clink(resultId)?.sender_id).toBe('ap_worker')
  })

  it('is computed and sent by a start with a key that was known to be ours before it was known who we are (P1, §8)', async () => {
    await using told = await Told.make()
    await told.retry()
    const known = told.ledger.process.fact('key') ?? ''
    expect(known).toMatch(/^ap_\w+ /)
    await told.ledger.process.note({ key: known.slice(known.indexOf(' ')) })
    const station = told.work(() => 'it worked')
    await station.seen('clink.rerunDone', told.id)
    expect(told.results).toEqual(['it worked'])
  })

  it('is not sent any more when its letter is discarded while the service is away (P10, §5)', async () => {
    await using told = await Told.make()
    const { bench, id, ledger } = told
    const away = bench.fault({ operation: 'send_clink' }, { status: 429, headers: { 'Retry-After': '0' } })
    const station = told.work(() => 'it worked')
    await told.retry(station)
    await until(() => away.hits > 0, 'it is refused')
    await ledger.letters.discard(id)
    const before = away.hits
    await told.over(station)
    expect([away.hits, told.results]).toEqual([before, []])
  })

  it('that is too long is not sent fitted when its letter was discarded meanwhile (P10, §5)', async () => {
    await using told = await Told.make({ switches: { lengthUnit: 'bytes' } })
    const { bench, id, ledger } = told
    let answered = 0
    const wrap = (inner: Transport): Transport => ({
      send: async (request) => {
        const answer = await inner.send(request)
        if (answer.status === 400) {
          answered += 1
          expect(await ledger.letters.discard(id)).toBe('done')
        }
        return answer
      },
    })
    const station = told.work(() => 'é'.repeat(4_000), { wrap })
    await told.retry(station)
    await until(() => answered > 0, 'it is refused')
    await told.over(station)
    expect([answered, requests(bench.emulator, 'send_clink').length, told.results]).toEqual([1, 1, []])
  })

  it('that its sender cannot be sent is kept in the letter (P5, §5)', async () => {
    await using told = await Told.make()
    told.bench.fault({ operation: 'send_clink' }, { status: 403 })
    const station = told.work(() => 'it worked')
    await told.retry(station)
    await station.seen('clink.deadLettered', told.id)
    await told.over(station)
    expect(requests(told.bench.emulator, 'send_clink')).toHaveLength(1)
    expect(told.ledger.letters.get(told.id)?.rerun).toEqual({ step: 'refused', response: 'it worked' })
  })

  it('that was journalled when the process ended is sent by the next start without a run (P5)', async () => {
    await using told = await Told.make()
    await told.retry()
    await told.ledger.letters.noteRerun(told.id, { step: 'ready', response: 'it worked' })
    const station = told.work(() => 'computed again')
    await station.seen('clink.rerunDone', told.id)
    expect([station.runs, told.results]).toEqual([[], ['it worked']])
  })

  it('that was being sent when the process ended may have arrived: it is not sent again (P5)', async () => {
    await using told = await Told.make()
    await told.retry()
    await told.ledger.letters.noteRerun(told.id, { step: 'sending', response: 'it worked' })
    const station = told.work(() => 'computed again')
    await station.seen('clink.resultUnknown', told.id)
    await told.over(station)
    expect([station.runs, told.results]).toEqual([[], []])
    expect(told.ledger.letters.get(told.id)?.rerun).toEqual({ step: 'unknown', response: 'it worked' })
  })

  it('of a letter that is discarded while it runs is dropped (§5)', async () => {
    await using told = await Told.make()
    const gate = Promise.withResolvers<void>()
    const station = told.work(async () => {
      await gate.promise
      return 'it worked'
    })
    await told.retry(station)
    await until(() => station.runs.length === 1, 'it runs')
    expect(await told.ledger.letters.discard(told.id)).toBe('done')
    gate.resolve()
    await told.over(station)
    expect(told.results).toEqual([])
    expect([(await recalled(told.ledger, told.id)).isGivenUp, told.ledger.letters.all()]).toEqual([true, []])
  })
})

describe.concurrent('A stop', () => {
  it('that cuts a rerun short costs it nothing, and the next start runs it again (P8)', async () => {
    await using told = await Told.make()
    const first = told.work(async (_, ctx) => await obey(ctx), {
      settings: { ...TELL, shutdown: { timeout: 2_000, drain: 100 } },
    })
    await told.retry(first)
    await until(() => first.runs.length === 1, 'it runs')
    await first.daemon.stop('the test says so')
    expect(first.exit ?? (await first.daemon.ended)).toBe(0)
    expect([told.step, told.ledger.attemptsOf(told.id).starts]).toEqual(['due', 0])
    expect(first.all('clink.ended', told.id)).toMatchObject([{ outcome: 'cut-short' }])

    const second = told.work(() => 'it worked')
    await second.seen('clink.rerunDone', told.id)
    expect(second.runsOf(told.id)).toMatchObject([{ attempt: 1 }])
    expect(told.results).toEqual(['it worked'])
  })

  it('does not wait for a rerun that does not heed its abort, and the next start runs it again (P8)', async () => {
    await using told = await Told.make()
    const never = Promise.withResolvers<void>()
    const first = told.work(async () => await never.promise, {
      settings: { ...TELL, shutdown: { timeout: 1_000, drain: 100 } },
    })
    await told.retry(first)
    await until(() => first.runs.length === 1, 'it runs')
    await first.daemon.stop('the test says so')
    expect([told.step, told.ledger.attemptsOf(told.id).starts]).toEqual(['due', 0])
    never.resolve()
  })

  it('sends the result of a rerun that ends while it drains (P5, P8)', async () => {
    await using told = await Told.make()
    const station = told.work(async (_, ctx) => {
      await new Promise((resolve) => ctx.draining.addEventListener('abort', resolve))
      return 'it worked'
    })
    await told.retry(station)
    await until(() => station.runs.length === 1, 'it runs')
    await station.daemon.stop('the test says so')
    expect([told.results, told.ledger.letters.all()]).toEqual([['it worked'], []])
  })
})

/** A clink that was given up, and whose sender could not be told so: the service fails until the faults are removed. */
async function unnoticed(bench: Bench) {
  const ledger = new Ledger(memoryTables())
  const faults = ['complete_clink', 'claim_clink'].map((operation) => bench.fault({ operation }, { status: 503 }))
  const id = bench.send('work')
  const station = bench.work(
    () => {
      if (station.runs.length === 1) throw new Error('no')
      return 'it worked'
    },
    { settings: TELL, ledger },
  )
  await station.seen('clink.deadLettered', id)
  return { faults, id, ledger, station }
}

it('a clink whose notice never reached Clink is told under its next claim, and not run again (P1, §5)', async () => {
  await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
  const { faults, id, station } = await unnoticed(bench)
  await until(() => station.all('clink.claimed', id).length > 1, 'it is back')
  for (const fault of faults) fault.remove()
  await bench.completed(id)
  expect(answers(bench.emulator).map(({ content }) => content)).toEqual([
    expect.stringMatching(/^This could not be done/),
  ])
  expect(station.runsOf(id)).toHaveLength(1)
})

it('a clink whose notice never reached Clink, and whose rerun is done, is completed when it comes back and not run again (P5, §5)', async () => {
  await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
  const { faults, id, ledger, station } = await unnoticed(bench)
  // Before the claim has ended: nobody knows yet that the notice does not arrive.
  expect(await ledger.letters.retry(id)).toBe('rerun')
  station.daemon.retried(id)
  const { resultId = '' } = await station.seen('clink.rerunDone', id)
  for (const fault of faults) fault.remove()
  await bench.completed(id)

  expect(station.runsOf(id)).toHaveLength(2)
  expect(answers(bench.emulator)).toEqual([])
  expect(bench.emulator.clink(resultId)?.content).toBe('it worked')
})
