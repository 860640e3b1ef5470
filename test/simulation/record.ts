import type { ExitCode } from '../../src/base/coded-error.ts'
import type { TransportFailure } from '../../src/clink/transport.ts'
import type { ConfigChange } from './plan.ts'
import type { WorkerEvent } from '../../src/events.ts'
import type { AbortCode } from '../../src/handlers/handler.ts'
import type { Told } from './distortion.ts'
import { FleetRecord } from './fleet-record.ts'
import type { KeyPlan } from './plan-keys.ts'

export type OperationKind = 'poll' | 'probe' | 'sibling' | 'claim' | 'complete' | 'release' | 'send' | 'other'

/** One request as the network saw it. Times are virtual milliseconds. */
export interface RequestRecord {
  readonly n: number
  readonly life: string
  readonly kind: OperationKind
  readonly clinkId: string | undefined
  /** Of a poll: how many were asked for. */
  readonly limit: number
  /** Of a claim by id: milliseconds that it asks for; absent: it leaves them to the service. */
  readonly asked?: number
  /** Name of the key that it was asked with. */
  readonly key: string
  /** When the worker asked for it. */
  readonly begunAt: number
  /** When it was handed to a socket; absent: never. */
  sentAt?: number
  /** When the service carried it out, with which status; absent: it never arrived. */
  arrivedAt?: number
  status?: number
  /** What the worker was told: when, and what. */
  endedAt?: number
  ended?: TransportFailure | 'answered'
  /** The status of an answer, and whether it was whole and successful. */
  toldStatus?: number
  toldWell?: boolean
  /** Whether the answer was one of the service, by its envelope. */
  isEnveloped?: boolean
  /** Of each clink in the answer to a claim: whether it said how long the claim lasts. */
  lengths?: ReadonlyMap<string, Told>
  /** The time before which the answer wants nothing more of its kind. */
  notBefore?: number
  fault: string
  /** Of a list that claims nothing: what it showed, and in which state. */
  listed?: ReadonlyMap<string, string>
  /** Of a clink that is sent: which reply of which step it is. */
  readonly stepReply?: string
  /** Of a clink that is sent: which run's result it carries, as `RunRecord.result` names it. */
  readonly result?: string
}

/** A claim that the service gave or prolonged. */
export interface GrantRecord {
  readonly life: string
  readonly clinkId: string
  readonly at: number
  readonly expires: number
  readonly via: 'poll' | 'claim'
  /** The clink was pending until then: a new claim and not a renewal. */
  readonly isNew: boolean
  readonly request: RequestRecord
}

export type RunEnd = 'result' | 'failed' | 'release' | 'retry' | 'reject' | 'asleep' | 'aborted'

/** One start of a handler, as the handler itself saw it, or its runner where its code has not begun. */
export interface RunRecord {
  readonly life: string
  readonly clinkId: string
  readonly attempt: number
  readonly startedAt: number
  /** When its code began, where that took its time; `Infinity`: it has not. */
  begunAt?: number
  abortedAt?: number
  abortCode?: AbortCode
  endedAt?: number
  end?: RunEnd
  /** Its process had said before it ended that the claim was lost. */
  outlivedClaim?: boolean
  /** How many of its steps go on or are being kept, maybe after its function has ended. */
  openSteps?: number
  /** Of `retry` and `asleep`: milliseconds asked for. */
  after?: number
  /** Its process was gone, or had given the clink back, by the time it ended: nobody can know how. */
  isCutShort?: boolean
  /** Its route had been paused before it ended: a failure costs no attempt. */
  isFree?: boolean
  /** By the account of the process there is no claim: a letter that was retried is run again. */
  isRerun?: boolean
  /** When it has shown that it goes on, where that matters. */
  signs?: number[]
  /** What has ended it in the middle of what it did, as its runner says. */
  killedBy?: string
  /** What names the text that it gave as a result; absent: it gave none. */
  result?: string
}

/** A start that came to no run: what runs the handlers was away. */
export interface AwayRecord extends Pick<
  RunRecord,
  'life' | 'clinkId' | 'attempt' | 'startedAt' | 'endedAt' | 'isRerun' | 'isCutShort'
> {
  /** The worker wanted its end before that showed. */
  isAborted?: boolean
}

/** A step that a run did, as its function saw it. */
export interface StepRecord {
  readonly life: string
  readonly clinkId: string
  readonly name: string
  /** What it comes to, where it does not fail. */
  readonly value: string
  readonly startedAt: number
  doneAt?: number
  /** When its function ended, however. */
  endedAt?: number
  /** When the handler went on. */
  keptAt?: number
}

export interface NapRecord extends Pick<StepRecord, 'life' | 'clinkId' | 'name'> {
  readonly ms: number
  readonly askedAt: number
  overAt?: number
}

export interface EventRecord {
  readonly life: string
  readonly at: number
  readonly event: WorkerEvent
}

/** One process of a worker, from its start to its stop or crash. */
export interface LifeRecord {
  readonly name: string
  readonly worker: string
  /** Processes with the same journal have the same; it stands for their session. */
  readonly state: string
  /** It remembers together with all others. */
  readonly isOfFleet?: boolean
  /** The start of its machine. */
  readonly boot: number
  readonly startedAt: number
  stopAskedAt?: number
  /** Its route is paused since then. */
  pausedAt?: number
  /** The clink whose failure has paused it, by the account of the process. */
  pausedBy?: string
  /** When its route was resumed last. */
  resumedAt?: number
  hurriedAt?: number
  stoppedAt?: number
  exit?: ExitCode
  crashedAt?: number
  /** Of one that has ended: what it has noted since then was not written; and since when it had acted on that all the same, since nothing could be. */
  unwrittenSince?: number
  failedSince?: number
  leftBehind: readonly string[]
  /** Clinks that the service held for it when it said that it had stopped. */
  heldAtStop: readonly string[]
  /** Steps of its clocks, forward ones only: waits are shorter by them. */
  readonly jumps: { readonly at: number; readonly ms: number }[]
  /** When its wall clock was set back, by how much (`ms` is negative). */
  readonly setBacks: { readonly at: number; readonly ms: number }[]
  readonly sleeps: { readonly from: number; readonly to: number }[]
  /** Configurations other than the worker's first one, since when it has had each. */
  readonly changes: ConfigChange[]
}

export interface ActRecord {
  readonly at: number
  readonly clinkId: string
  readonly what: 'complete' | 'release' | 'claim'
}

/** What somebody wanted of a dead letter, and what that was answered. */
export interface LetterAsk {
  readonly state: string
  readonly clinkId: string
  readonly what: 'retry' | 'discard'
  readonly askedAt: number
  /** As the list said: the clink was being run again, or its result was being sent, so that to retry it changed nothing. */
  readonly isUnderWay: boolean
  /** Absent: nobody has heard that it was done, and it may be forgotten. */
  answeredAt?: number
  /** `rerun`: it is run without a claim; `done`: it is run when it comes, or discarded; `unknown`: there was no such letter. */
  answer?: 'done' | 'rerun' | 'unknown'
  /** It is a rerun of another member, begun before. */
  isElsewhere?: boolean
}

/** An operator wants a worker to be paused, or drained. */
export interface HoldRecord {
  readonly state: string
  readonly life: string
  readonly what: 'pause' | 'drain'
  readonly askedAt: number
  /** When he heard that it is; absent: he has not, and it may be forgotten. */
  from?: number
  /** When somebody wanted it to go on. */
  to?: number
}

/** What happened in a seed, from which it is judged. */
/** Of a process of which nothing is known yet but how it began. */
export function newLife(
  begun: Pick<LifeRecord, 'name' | 'worker' | 'state' | 'boot' | 'startedAt'> & Partial<LifeRecord>,
): LifeRecord {
  return { leftBehind: [], heldAtStop: [], jumps: [], setBacks: [], sleeps: [], changes: [], ...begun }
}

export class Record {
  readonly requests: RequestRecord[] = []
  readonly requestsByClink = new Map<string, RequestRecord[]>()
  readonly runs: RunRecord[] = []
  readonly runsByClink = new Map<string, RunRecord[]>()
  readonly awayStarts: AwayRecord[] = []
  readonly eventsByLife = new Map<string, EventRecord[]>()
  readonly grantsByClink = new Map<string, GrantRecord[]>()
  readonly lives = new Map<string, LifeRecord>()
  readonly acts: ActRecord[] = []
  readonly holds: HoldRecord[] = []
  readonly steps: StepRecord[] = []
  /** What steps gave their handlers, whoever did them. */
  readonly given: (Pick<StepRecord, 'life' | 'clinkId' | 'name'> & { readonly value: unknown; readonly at: number })[] =
    []
  /** Sleeps, each time that a run asked for one, and when that run went on. */
  readonly naps: NapRecord[] = []
  readonly asks: LetterAsk[] = []
  /** What happened to the store of a fleet. */
  readonly fleet = new FleetRecord()
  /** As far as they were done: nobody writes a strange key for a worker that does not know who it is. */
  readonly keyActs: KeyPlan[] = []
  /** Whether processes took work, by their own account, from time to time. */
  readonly readiness: {
    readonly at: number
    readonly life: string
    readonly isReady: boolean
    readonly reasons: readonly string[]
    /** Whether the process had been told last that a call of its store has failed, or nothing yet: in one moment it may be asked before it is told. */
    readonly isStoreAway: boolean
  }[] = []
  /** Loops that stood still, by the account of the process. */
  readonly standing: { readonly at: number; readonly life: string; readonly reason: string }[] = []
  readonly #told = new Map<string, EventRecord[]>()
  /** What was found last time: a claim that is made every few seconds is asked about thousands of times. */
  readonly #grants = new Map<string, { readonly grants: readonly GrantRecord[]; readonly ofAll: number }>()
  /** Runs that are about to start, of which it was said that they are reruns. */
  readonly #reruns = new Set<string>()
  readonly #trace: ((line: string) => void) | undefined
  readonly #now: () => number

  constructor(now: () => number, trace?: (line: string) => void) {
    this.#now = now
    this.#trace = trace
  }

  get now(): number {
    return this.#now()
  }

  get isTracing(): boolean {
    return this.#trace !== undefined
  }

  /** A line of the trace: virtual seconds, who, what. */
  say(who: string, text: string): void {
    this.#trace?.(`${(this.#now() / 1_000).toFixed(3).padStart(10)} ${who.padEnd(6)} ${text}`)
  }

  addRequest(request: RequestRecord): void {
    this.requests.push(request)
    const { clinkId, kind, life } = request
    if (clinkId === undefined) return
    addTo(this.requestsByClink, clinkId, request)
    const run = this.runsByClink.get(clinkId)?.findLast((one) => one.life === life)
    if (kind === 'release' && run !== undefined && run.endedAt === undefined) run.isCutShort = true
  }

  addGrant(grant: GrantRecord): void {
    addTo(this.grantsByClink, grant.clinkId, grant)
  }

  addRun(run: RunRecord): void {
    if (this.#reruns.delete(`${run.life} ${run.clinkId}`)) run.isRerun = true
    this.runs.push(run)
    addTo(this.runsByClink, run.clinkId, run)
  }

  addAwayStart(start: AwayRecord): void {
    if (this.#reruns.delete(`${start.life} ${start.clinkId}`)) start.isRerun = true
    this.awayStarts.push(start)
  }

  addEvent(life: string, event: WorkerEvent): void {
    if (event.event === 'route.paused') this.life(life).pausedAt = this.now
    if (event.event === 'route.resumed') {
      delete this.life(life).pausedAt
      delete this.life(life).pausedBy
      this.life(life).resumedAt = this.now
    }
    if (event.event === 'clink.ended') this.#order(life, event.clink.clink_id)
    // What ends in the moment of the abort may be taken for either.
    if (event.event === 'worker.aborting')
      for (const run of this.runs) if (run.life === life && run.endedAt === this.now) run.isCutShort = true
    const told = { life, at: this.now, event }
    addTo(this.eventsByLife, life, told)
    const clinkId =
      event.event === 'clink.leftAlone' ? event.clinkId : 'clink' in event ? event.clink.clink_id : undefined
    if (clinkId === undefined) return
    if (event.event === 'clink.rerun' && event.step === 'run') this.#reruns.add(`${life} ${clinkId}`)
    addTo(this.#told, `${this.life(life).state} ${clinkId}`, told)
    const run = this.runsOf(life, clinkId).findLast((one) => one.life === life)
    const isLost = event.event === 'clink.lost' || (event.event === 'clink.ended' && event.outcome === 'lost')
    const isOver = (run?.openSteps ?? 0) === 0 && (run?.endedAt ?? this.now) < this.now
    if (isLost && run !== undefined && !isOver && !this.isGivenUpEarly(run)) run.outlivedClaim = true
  }

  /**
   * Of what ends in the moment of a pause, the first has paused the route and the others are told of after that. What ends in the moment in
   * which it is resumed, and is told of afterwards, counts.
   */
  #order(name: string, clinkId: string): void {
    const life = this.life(name)
    const run = this.runsOf(name, clinkId).findLast((one) => one.life === name)
    const endsNow = run?.endedAt === this.now
    if (run !== undefined && endsNow && life.pausedAt === undefined && life.resumedAt === this.now) run.isFree = false
    if (life.pausedAt !== this.now) return
    life.pausedBy ??= clinkId
    if (run !== undefined && endsNow && life.pausedBy !== clinkId) run.isFree = true
  }

  /** Whether what ends now costs no attempt: its route is paused, and not for longer than an outage may last. */
  isFree(life: string, outage: number): boolean {
    const { pausedAt = -Infinity } = this.life(life)
    return this.now < pausedAt + outage
  }

  life(name: string): LifeRecord {
    const life = this.lives.get(name)
    if (life === undefined) throw new Error(`No life ${name}`)
    return life
  }

  /** Processes with one journal, in order. */
  livesOf(state: string): readonly LifeRecord[] {
    return [...this.lives.values()].filter((life) => life.state === state)
  }

  /** Claims that a process, or an earlier one with its journal, was given on a clink, in order. */
  grantsOf(life: string, clinkId: string): readonly GrantRecord[] {
    const { state } = this.life(life)
    const all = this.grantsByClink.get(clinkId) ?? []
    const key = `${state} ${clinkId}`
    const known = this.#grants.get(key)
    if (known?.ofAll === all.length) return known.grants
    const grants = all.filter((grant) => this.life(grant.life).state === state)
    this.#grants.set(key, { grants, ofAll: all.length })
    return grants
  }

  /** Runs of a clink in a process, or in an earlier one with its journal, in order. */
  runsOf(life: string, clinkId: string): readonly RunRecord[] {
    const { state } = this.life(life)
    return (this.runsByClink.get(clinkId) ?? []).filter((run) => this.life(run.life).state === state)
  }

  /** Whether a process knows what the processes on a state have done: its own, or of its fleet. */
  sharesWith(life: string, state: string): boolean {
    const own = this.life(life)
    return own.isOfFleet === true || own.state === state
  }

  /** Runs of a clink of which a process knows: those on its own state, or in its fleet. */
  knownRunsOf(life: string, clinkId: string): readonly RunRecord[] {
    return (this.runsByClink.get(clinkId) ?? []).filter((run) => this.sharesWith(life, this.life(run.life).state))
  }

  /** What those have told of a clink with whom a process remembers, in order. */
  toldTogether(life: string, clinkId: string): readonly EventRecord[] {
    if (this.life(life).isOfFleet !== true) return this.told(life, clinkId)
    const states = new Set([...this.lives.values()].map(({ state }) => state))
    return [...states].flatMap((state) => this.#told.get(`${state} ${clinkId}`) ?? []).sort((a, b) => a.at - b.at)
  }

  /** What was asked about the letter of a clink of those who remember with a process, until `at`, in order. */
  asksOf(life: string, clinkId: string, at = Infinity): readonly LetterAsk[] {
    return this.asks.filter((ask) => ask.clinkId === clinkId && ask.askedAt <= at && this.sharesWith(life, ask.state))
  }

  /**
   * The runs that count for what starts at `at`: a letter that was retried has its attempts counted anew. Nothing runs after a retry
   * that was forgotten, so it does not matter whether that was one, unless the letter was forgotten as well.
   */
  runsThatCount(life: string, clinkId: string, at: number): readonly RunRecord[] {
    const from = this.countedFrom(life, clinkId, at)
    return this.runsOf(life, clinkId).filter(({ startedAt }) => startedAt >= from && startedAt < at)
  }

  /** The same of all with whom it remembers. */
  knownRunsThatCount(life: string, clinkId: string, at: number): readonly RunRecord[] {
    const from = this.countedFrom(life, clinkId, at)
    return this.knownRunsOf(life, clinkId).filter(({ startedAt }) => startedAt >= from && startedAt < at)
  }

  /** Starts that could not be begun and count all the same: their process crashed, or lost the claim, or wanted their end, before that showed. */
  awayStartsThatCount(life: string, clinkId: string, at: number): readonly AwayRecord[] {
    const from = this.countedFrom(life, clinkId, at)
    return this.awayStartsOf(life, clinkId, at).filter((start) => {
      const { endedAt, isAborted, isCutShort, startedAt } = start
      const isTakenBack = isAborted !== true && isCutShort !== true && endedAt !== undefined
      return startedAt >= from && (!isTakenBack || this.hasLostClaim(start, endedAt))
    })
  }

  /**
   * Since when starts count: since somebody has retried the letter. In a fleet that is done when the store has it, which may be long after it was asked
   * for: before the answer, or by a later process where nobody has heard of it.
   */
  countedFrom(life: string, clinkId: string, at: number): number {
    const asks = this.asksOf(life, clinkId, at).filter((ask) => ask.what === 'retry' && this.isNoRepetition(ask, at))
    const times = asks.map((ask) => {
      const { answeredAt = at, askedAt } = ask
      const told = this.fleet.retriedAt(clinkId, askedAt, Math.min(at, answeredAt))
      return told ?? (this.#isAskForgotten(ask, life, at) ? -Infinity : askedAt)
    })
    return Math.max(-Infinity, ...times)
  }

  /**
   * Whether a letter that somebody wants run again was at rest: not by the list that was asked, or only when the member that was asked had read it again,
   * as the store of its fleet shows by `at`. A rerun may end in that time. Nor was it where another member had begun it, and the list was older than that.
   */
  isNoRepetition(ask: LetterAsk, at = Infinity): boolean {
    const { answeredAt = Infinity, askedAt, clinkId } = ask
    if (!ask.isUnderWay && !this.#wasBegunElsewhere(ask)) return true
    return this.fleet.retriedAt(clinkId, askedAt, Math.min(at, answeredAt)) !== undefined
  }

  #wasBegunElsewhere({ askedAt, clinkId, state }: LetterAsk): boolean {
    const begunAt = this.fleet.retriedAt(clinkId, -Infinity, askedAt)
    const [life] = this.livesOf(state)
    if (begunAt === undefined || life === undefined) return false
    // How far its own rerun is a member knows before the store does.
    const { by = '' } = this.fleet.factsOf(clinkId, askedAt).at(-1) ?? {}
    const runner = this.fleet.members.get(by)
    if (runner !== undefined && this.life(runner).state === state) return false
    return !this.toldTogether(life.name, clinkId).some(({ at, event }) => {
      return event.event === 'clink.deadLettered' && at >= begunAt && at <= askedAt
    })
  }

  /** Its claim was lost before it showed that it could not be begun. */
  hasLostClaim({ clinkId, life, startedAt }: AwayRecord, until: number): boolean {
    return this.told(life, clinkId).some(({ at, event, life: by }) => {
      const isLost = event.event === 'clink.lost' || (event.event === 'clink.ended' && event.outcome === 'lost')
      return by === life && isLost && at >= startedAt && at <= until
    })
  }

  /** Starts of a clink that came to no run, in a process, or in another one of those who remember with it, before `at`. */
  awayStartsOf(life: string, clinkId: string, at: number): readonly AwayRecord[] {
    return this.awayStarts.filter((start) => {
      const isOfClink = start.clinkId === clinkId && start.startedAt < at
      return isOfClink && this.sharesWith(life, this.life(start.life).state)
    })
  }

  /** Nobody has heard that it was done, and the process that was asked could write nothing any more, or its fleet has never got it. */
  #isAskForgotten({ answeredAt, askedAt, clinkId, state }: LetterAsk, life: string, at: number): boolean {
    const asked = this.livesOf(state).findLast(({ startedAt }) => startedAt <= askedAt)
    if (answeredAt === undefined && this.fleet.hasRested(clinkId, askedAt, at)) return true
    return answeredAt === undefined && asked?.name !== life && askedAt >= (asked?.unwrittenSince ?? Infinity)
  }

  /** What a process, or another one with its journal, has told of a clink, in order. */
  told(life: string, clinkId: string): readonly EventRecord[] {
    return this.#told.get(`${this.life(life).state} ${clinkId}`) ?? []
  }

  /** A stop that waits no longer for a handler past its timeout gives its clink up before the handler ends. */
  isGivenUpEarly({ clinkId, life, startedAt }: RunRecord): boolean {
    const { unwrittenSince = Infinity } = this.life(life)
    return this.told(life, clinkId).some(({ at, event, life: by }) => {
      return by === life && event.event === 'clink.deadLettered' && at >= startedAt && at < unwrittenSince
    })
  }

  /** Another process has told it, and could not write it. */
  isForgotten({ at, life: by }: Pick<EventRecord, 'at' | 'life'>, life: string): boolean {
    return by !== life && at >= (this.life(by).failedSince ?? Infinity)
  }
}

function addTo<T>(map: Map<string, T[]>, key: string, item: T): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [item])
  else list.push(item)
}
