import { randomBytes } from 'node:crypto'
import type { Random } from './base/backoff.ts'
import { systemBoot, type Boot } from './base/boot.ts'
import { sleep, systemClock, type Cancel, type Clock } from './base/clock.ts'
import { asError, EXIT, type ExitCode } from './base/coded-error.ts'
import type { Secret } from './base/secret.ts'
import { ClinkClient, type CallResult, type ClientOptions, type KeySource } from './clink/client.ts'
import { GotTransport } from './clink/got-transport.ts'
import type { Transport } from './clink/transport.ts'
import type { Config } from './config/config.ts'
import type { Emit, WorkerEvent } from './events.ts'
import type { Router } from './handlers/route.ts'
import { Once } from './once.ts'
import { inlineRunner } from './runners/inline.ts'
import type { ClinkApi } from './worker/clink-api.ts'
import type { WorkerContext } from './worker/context.ts'
import { Budget } from './worker/budget.ts'
import { HandlerClaims } from './worker/handler-claims.ts'
import { Identity, keepIdentity, keptIdentity } from './worker/identity.ts'
import { KeyChange } from './worker/key-change.ts'
import { Keys, type KeyClients, type KeysOptions } from './worker/keys.ts'
import { CrashWatch } from './worker/crash-watch.ts'
import { Ledger } from './worker/ledger.ts'
import type { Liveness } from './worker/liveness.ts'
import { memoryTables } from './worker/memory-tables.ts'
import { LoopGuard } from './worker/loop-guard.ts'
import { Pulses } from './worker/pulses.ts'
import { ReadinessWatch, type Readiness } from './worker/readiness.ts'
import { Scope } from './worker/scope.ts'
import { ServiceTime } from './worker/service-time.ts'
import { Siblings } from './worker/siblings.ts'
import { Worker, type Snapshot } from './worker/worker.ts'

export interface DaemonParts {
  readonly config: Config
  readonly key: Secret
  /** Says also which routes there are, for the start line. */
  readonly router: Router & { describe(): readonly string[] }
  readonly emit: Emit
  /** Work the inbox empty and end, after `maxTime` milliseconds at the latest. */
  readonly once?: { readonly maxTime?: number }
  /** What an earlier process remembered, and a place for what this one will. Default: nothing, and memory. */
  readonly state?: { readonly ledger: Ledger; readonly isOurs: boolean; readonly problem?: () => string | undefined }
  readonly transport?: Transport
  readonly boot?: Boot
  readonly clock?: Clock
  readonly random?: Random
}

/** Timers that were due during a sleep of the machine come about a second after it. */
const COMING_ROUND = 2_000

/** The fact that says which key is known to be ours. */
const PROVEN_KEY = 'key'

/** Why a worker that works the inbox empty ends. */
const WHY_ENDED: { readonly [Code in ExitCode]?: string } = {
  [EXIT.ok]: 'the inbox is empty',
  [EXIT.unavailable]: 'the service went away',
  [EXIT.refused]: 'the service refuses the key',
}

/** What happened since the start. */
export interface Totals {
  readonly completed: number
  readonly released: number
  readonly deadLettered: number
  readonly lost: number
}

/**
 * The composition root: configuration in, a running worker out. Decides when the process ends and with which code; does not
 * end it itself.
 */
export class Daemon {
  /** Resolves when everything has stopped. */
  readonly ended: Promise<ExitCode>
  readonly #parts: DaemonParts
  readonly #clock: Clock
  readonly #ended = Promise.withResolvers<ExitCode>()
  readonly #worker: Worker
  readonly #keyChange: KeyChange
  readonly #once: Once | undefined
  readonly #ledger: Ledger
  readonly #session: string
  readonly #transport: Transport
  readonly #closeTransport: () => void = () => {}
  readonly #readiness = new ReadinessWatch()
  readonly #totals = { completed: 0, released: 0, deadLettered: 0, lost: 0 }
  #cancelMaxTime: Cancel = () => {}
  #isReady = false
  /** Whom the state directory knew us as, where the configuration names somebody else. */
  #formerIdentity: string | undefined
  #exit: ExitCode | undefined
  #stopping: Promise<void> | undefined

  /** @throws {CodedError} KEY_MISSING or KEY_MALFORMED, before any request. */
  constructor(parts: DaemonParts) {
    this.#parts = parts
    this.#clock = parts.clock ?? systemClock()
    this.ended = this.#ended.promise
    this.#ledger = parts.state?.ledger ?? new Ledger(memoryTables())
    this.#session = sessionId(parts.config.clink.session, this.#ledger, parts.state?.isOurs ?? true)
    if (parts.transport === undefined) {
      const own = new GotTransport({ url: parts.config.clink.url, clock: this.#clock })
      this.#closeTransport = () => own.close()
      this.#transport = own
    } else {
      this.#transport = parts.transport
    }
    if (parts.once !== undefined) this.#once = this.#makeOnce()
    const closing = new AbortController()
    const context = this.#makeContext(closing.signal)
    this.#worker = this.#makeWorker(context, closing)
    this.#keyChange = this.#makeKeyChange(context)
  }

  start(): void {
    const { config, once, router } = this.#parts
    const routes = router.describe()
    this.#emit({ event: 'worker.started', session: this.#session, concurrency: config.concurrency, routes })
    if (once?.maxTime !== undefined) {
      const end = this.#clock.now() + once.maxTime
      this.#cancelMaxTime = this.#clock.at(end, () => void this.stop('--max-time is over'))
    }
    const resume = (this.#parts.state?.isOurs ?? true) && this.#isSameOwner()
    this.#worker.start(resume).catch((error: unknown) => this.fail('start', asError(error)))
  }

  /** Drains and ends. Resolves when it has; a second call waits for the first. */
  async stop(reason: string): Promise<void> {
    this.#stopping ??= this.#stop(reason)
    await this.#stopping
  }

  /** Skips what is left of a drain: aborts what runs and releases it. */
  hurry(): void {
    this.#worker.hurry()
  }

  /** A fault outside the worker, as an uncaught error: says so, releases what is held, and ends with 70. */
  fail(part: string, error: Error): void {
    this.#emit({ event: 'worker.failed', part, error })
    this.#exit = EXIT.internal
    this.#worker.hurry()
    void this.stop(`the ${part} failed`)
  }

  /** Looks for a clink again that was given up until now. */
  retried(clinkId: string): void {
    this.#worker.giveBack(clinkId).catch((error: unknown) => this.fail('release', asError(error)))
  }

  /**
   * Another key is to be used for new claims. It is, once the service has said that it may be ours.
   *
   * @param from where it comes from, for people.
   */
  changeKey(key: Secret, from: string): void {
    this.#keyChange.offer(key, from)
  }

  snapshot(): Snapshot {
    return this.#worker.snapshot()
  }

  /** Whether it still gets further, by the progress of its loops. */
  liveness(): Liveness {
    return this.#worker.liveness()
  }

  /**
   * As `liveness`, for whoever would end the process: what is late because the machine slept, or because a handler did not let go,
   * is given a moment to come round.
   */
  async settledLiveness(): Promise<Liveness> {
    const first = this.liveness()
    if (first.alive) return first
    await sleep(this.#clock, COMING_ROUND)
    return this.liveness()
  }

  /** Whether it takes work. */
  readiness(): Readiness {
    return this.#readiness.readiness(this.#parts.state?.problem?.())
  }

  totals(): Totals {
    return { ...this.#totals }
  }

  async #stop(reason: string): Promise<void> {
    this.#cancelMaxTime()
    const { running, queued, held, parked } = this.#worker.snapshot()
    this.#emit({ event: 'worker.stopping', reason, running, queued, held, parked })
    const [leftBehind] = await Promise.all([this.#worker.stop(this.#exit !== EXIT.internal), this.#keyChange.stop()])
    this.#emit({ event: 'worker.stopped', ...this.#totals, leftBehind })
    this.#closeTransport()
    const failed = this.#parts.once !== undefined && this.#totals.deadLettered > 0 ? EXIT.failed : EXIT.ok
    const exit = this.#exit ?? failed
    this.#ended.resolve(leftBehind.length > 0 && exit === EXIT.ok ? EXIT.internal : exit)
  }

  #makeOnce(): Once {
    return new Once({
      now: () => this.#clock.now(),
      inHand: () => {
        const { running, queued, held, settling, rerunning } = this.#worker.snapshot()
        return running + queued + held + settling + rerunning
      },
      end: (exit) => {
        if (exit !== EXIT.ok) this.#exit ??= exit
        void this.stop(WHY_ENDED[exit] ?? 'there is nothing that it may do')
      },
    })
  }

  #makeWorker(context: WorkerContext, closing: AbortController): Worker {
    return new Worker({
      context,
      closing,
      polled: (taken) => {
        if (!this.#isReady && context.keys.refusal === undefined) {
          this.#emit({ event: 'worker.ready' })
          this.#isReady = true
        }
        this.#once?.polled(taken)
      },
      blocked: () => this.#once?.blocked(),
      failed: (error, failures) => {
        this.#once?.failed(error, failures)
      },
      settled: () => {
        this.#once?.settled()
        if (this.#once !== undefined) this.#worker.wake()
      },
      crashed: (part, error) => this.fail(part, error),
    })
  }

  #makeContext(closing: AbortSignal): WorkerContext {
    const { once, router, random = Math.random } = this.#parts
    const { poll } = this.#parts.config
    // To work the inbox empty, each look must be at all of it.
    const config = once === undefined ? this.#parts.config : { ...this.#parts.config, poll: { ...poll, sweep: 0 } }
    const clock = this.#clock
    const emit: Emit = (event) => this.#emit(event)
    const ledger = this.#ledger
    const identity = this.#makeIdentity()
    const handlerClaims = new HandlerClaims(clock)
    const keys = this.#makeKeys(identity, (key) => this.#makeClients(key, handlerClaims, identity))
    const connection = { ...this.#connection(), key: keys.live }
    const api = new ClinkClient(connection)
    const sibling = new ClinkClient({ ...connection, sessionId: `${this.#session}-sibling` })
    const { exclusive } = config.claim
    return {
      config,
      api,
      keys,
      handlerClaims,
      pulses: new Pulses(clock),
      siblings: new Siblings({ api, sibling, ledger, url: config.clink.url, exclusive, clock, emit }),
      scope: new Scope({ inbox: config.inbox, api, identity, clock, emit }),
      serviceTime: new ServiceTime(),
      clock,
      random,
      emit,
      ledger,
      boot: this.#parts.boot ?? systemBoot(),
      crashWatch: new CrashWatch(ledger, config.retry.crashes, emit, () => clock.wall()),
      router,
      runner: inlineRunner,
      identity,
      loopGuard: new LoopGuard(config.inbox.loopLimit, clock, emit),
      budget: new Budget(clock),
      closing,
    }
  }

  #connection(): Omit<ClientOptions, 'key'> {
    const { random = Math.random } = this.#parts
    const { timeout, url } = this.#parts.config.clink
    return { url, sessionId: this.#session, timeout, transport: this.#transport, clock: this.#clock, random }
  }

  #makeClients(key: KeySource, handlerClaims: HandlerClaims, identity: Identity): KeyClients {
    const connection = { ...this.#connection(), key }
    return {
      api: new ClinkClient(connection),
      handlerApi: new ClinkClient({
        ...connection,
        onCall: (call) => handlerClaims.called(call),
        onFailure: (call, error) => handlerClaims.failed(call, error),
        onResult: (call) => {
          handlerClaims.answered(call)
          void noteSent(call, this.#ledger, this.#clock, identity)
        },
      }),
    }
  }

  /** What is configured counts, and is kept. */
  #makeIdentity(): Identity {
    const { identity, url } = this.#parts.config.clink
    const kept = keptIdentity(this.#ledger, url)
    const keep = (id: string): void => void keepIdentity(id, this.#ledger, url)
    if (identity === 'auto') return new Identity(kept, (event) => this.#emit(event), keep)
    if (kept !== undefined && kept !== identity) this.#formerIdentity = kept
    keep(identity)
    return new Identity(identity, (event) => this.#emit(event))
  }

  /** Claims of another owner cannot be held on to: they run out. */
  #isSameOwner(): boolean {
    const { identity } = this.#parts.config.clink
    const before = this.#formerIdentity
    if (before !== undefined) this.#emit({ event: 'worker.identityReplaced', identity, before })
    return before === undefined
  }

  #makeKeys(identity: Identity, makeClients: KeysOptions['makeClients']): Keys {
    return new Keys({
      first: this.#parts.key,
      makeClients,
      identity,
      emit: (event) => this.#emit(event),
      known: this.#ledger.fact(PROVEN_KEY),
      proved: (known) => void this.#ledger.noteFact(PROVEN_KEY, known),
      changed: () => this.#worker.retry(),
      refused: () => this.#once?.refused(),
    })
  }

  #makeKeyChange({ clock, emit, identity, keys, random }: WorkerContext): KeyChange {
    const crashed = (error: Error): void => this.fail('change of the key', error)
    const ask = (key: Secret): ClinkApi => new ClinkClient({ ...this.#connection(), key })
    return new KeyChange({ keys, ask, identity, clock, random, emit, crashed })
  }

  #emit(event: WorkerEvent): void {
    if (event.event === 'clink.completed') this.#totals.completed += 1
    if (event.event === 'clink.released') this.#totals.released += 1
    if (event.event === 'clink.deadLettered') this.#totals.deadLettered += 1
    if (event.event === 'clink.lost') this.#totals.lost += 1
    if (event.event === 'worker.notReady') this.#isReady = false
    this.#readiness.note(event)
    if (event.event === 'poll.refused') {
      this.#emit({ event: 'worker.notReady', reason: event.error.message, advice: event.advice })
    }
    this.#parts.emit(event)
  }
}

/** Workers that are given the same session still need one each, and one that starts again needs the one it had. */
function sessionId(configured: string, ledger: Ledger, isOurs: boolean): string {
  const kept = isOurs ? ledger.fact('session') : undefined
  const own = kept ?? randomBytes(8).toString('hex')
  if (kept === undefined) void ledger.noteFact('session', own)
  return `${configured === 'auto' ? 'clink-worker' : configured}-${own}`
}

/** What a handler sends through the API is not our work either. */
async function noteSent(
  { operation, result }: CallResult,
  ledger: Ledger,
  clock: Clock,
  identity: Identity,
): Promise<void> {
  if (typeof result !== 'object' || result === null) return
  if (operation === 'send_clink' && 'sender_id' in result && typeof result.sender_id === 'string')
    identity.learn(result.sender_id, 'a clink that a handler sent')
  const id =
    operation === 'send_clink' && 'clink_id' in result
      ? result.clink_id
      : operation === 'complete_clink' && 'response_clink_id' in result
        ? result.response_clink_id
        : undefined
  if (typeof id === 'string') await ledger.addOwn(id, clock.wall())
}
