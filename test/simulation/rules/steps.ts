import type { Breach, Evidence, Rule } from '../judge.ts'
import type { Record, RequestRecord, StepRecord } from '../record.ts'
import { aheadOf } from '../settings.ts'
import { claimOf } from './fleet-starts.ts'

/**
 * §4: when a handler went on after a step, no run of its clink does that step again, in whichever process on the same state: until the clink
 * is done, or its letter discarded.
 */
export const stepsAreDoneOnce: Rule = (evidence) => {
  const { record } = evidence
  return record.steps.flatMap((step) => {
    const before = earlier(record, step).find(
      (one) => (one.keptAt ?? Infinity) <= step.startedAt && !isUnknownTo(evidence, one, step),
    )
    if (before?.keptAt === undefined || isForgotten(record, before, before.keptAt, step.startedAt)) return []
    return [breach('P5', step, step.startedAt, `is done again, though it was kept at ${before.keptAt}`)]
  })
}

/** §4: what a step gives its handler is what it came to, the same in each run; that of a step which was rightly done again from then on. */
export const stepsGiveTheSame: Rule = (evidence) => {
  const { record } = evidence
  return record.given.flatMap((given) => {
    const { at, clinkId, life, name, value } = given
    const done = record.steps.filter((one) => isSame(record, one, given) && (one.doneAt ?? Infinity) <= at)
    const source = done.find((one) => one.value === value)
    const breaches: Breach[] = []
    if (source === undefined) breaches.push(breach('P5', given, at, `gives ${String(value)}`))
    const isAgain = (first: unknown): boolean => {
      const kept = done.find((one) => one.value === first)
      if (kept === undefined || source === undefined) return false
      return isUnknownTo(evidence, kept, source)
    }
    const before = record.given.find((one) => one.at < at && isSame(record, one, given) && !isAgain(one.value))
    if (before !== undefined && before.value !== value && !isForgotten(record, before, before.at, at))
      breaches.push({ rule: 'P5', at, life, text: `${name} of ${clinkId} gave ${String(before.value)} before` })
    return breaches
  })
}

/** P3: a run is over when the code of its steps is. */
export const stepsEndWithTheirRun: Rule = ({ record }) =>
  record.runs.flatMap(({ clinkId, life, startedAt: at }) => {
    const goesOn = record.steps.find((step) => {
      const { endedAt = Infinity, startedAt } = step
      return step.clinkId === clinkId && step.life === life && startedAt < at && endedAt > at
    })
    return goesOn === undefined ? [] : [breach('P3', goesOn, at, 'goes on while another run starts')]
  })

/** These count whatever their body is (§0). */
const REFUSED: ReadonlySet<number> = new Set([401, 413, 429])

/** §4: what a step sends reaches the service once at most, until the clink is done; again by a step that was rightly done again. */
export const stepsSendOnce: Rule = (evidence) => {
  const { record } = evidence
  const first = new Map<string, RequestRecord>()
  return record.requests.flatMap((request) => {
    const { arrivedAt, life, n, status = 0, stepReply, toldStatus = 0 } = request
    if (stepReply === undefined || arrivedAt === undefined || status > 299) return []
    const { isOfFleet, state } = record.life(life)
    const key = `${isOfFleet === true ? 'fleet' : state} ${stepReply}`
    const before = first.get(key)
    // What is said to be refused is sent again, also where somebody in front of the service says so.
    if (!REFUSED.has(toldStatus)) first.set(key, before ?? request)
    if (before === undefined) return []
    const [kept, step] = [stepOf(record, before), stepOf(record, request)]
    const isAgain = kept !== undefined && step !== undefined && isUnknownTo(evidence, kept, step)
    if (isAgain || (step && isForgotten(record, step, before.arrivedAt ?? 0, step.startedAt))) return []
    return [{ rule: 'P5', at: arrivedAt, life, text: `#${n} sends what #${before.n} has sent: ${stepReply}` }]
  })
}

/** The step that has sent it. */
function stepOf({ steps }: Record, { life, sentAt = 0, stepReply = '' }: RequestRecord): StepRecord | undefined {
  return steps.findLast((one) => {
    const isIts = one.life === life && one.startedAt <= sentAt
    return isIts && stepReply.startsWith(`${one.clinkId} ${one.name} reply `)
  })
}

/** Milliseconds: the wall clock tells whole ones. */
const ROUNDING = 1

/** §4: a sleep is over when its time is, counted from when it was first asked for; only clocks that are set forward make it shorter. */
export const sleepsAreSlept: Rule = ({ plan, record }) =>
  record.naps.flatMap((nap) => {
    const { life, ms, overAt: at } = nap
    if (at === undefined) return []
    const { askedAt: since, life: by } = record.naps.find((one) => isSame(record, one, nap)) ?? nap
    const jumped = [...record.lives.values()]
      .flatMap(({ jumps, state }) => (record.sharesWith(life, state) ? jumps : []))
      .reduce((sum, jump) => (jump.at >= since && jump.at <= at ? sum + jump.ms : sum), 0)
    const clocks = aheadOf(plan, record, { life, at: since }, { life: by, since })
    const left = since + ms - jumped - ROUNDING - clocks - at
    return left <= 0 ? [] : [breach('P10', nap, at, `is over ${left} ms too early`)]
  })

/** Milliseconds that a question takes, beside what the journal takes to be written. */
const ASKING = 1_000
/** How often a run looks whether its store is back. */
const LOOK = 1_000

/** §4: no run waits for the end of its sleep: it would hold its slot. Where the store of its fleet was away it waits for that. */
export const sleepersHoldNoSlot: Rule = ({ plan, record }) => {
  const { failing = [], slowest = 0 } = plan.world.store ?? {}
  return record.naps.flatMap((nap) => {
    const { askedAt, life, overAt = askedAt } = nap
    const isHeldUp = [...failing, ...record.life(life).sleeps].some(({ from, to }) => from <= overAt && to >= askedAt)
    const since = record.fleet.worksFrom(life, askedAt)
    const looks = since > askedAt ? LOOK : 0
    if (isHeldUp || overAt - since <= ASKING + slowest + looks || record.fleet.isSlow(life, askedAt, overAt)) return []
    return [breach('P6', nap, overAt, `was waited for in its slot since ${askedAt}`)]
  })
}

type Named = Pick<StepRecord, 'clinkId' | 'life' | 'name'>

function isSame(record: Record, one: Named, other: Named): boolean {
  const isAlike = one.clinkId === other.clinkId && one.name === other.name
  return isAlike && record.sharesWith(one.life, record.life(other.life).state)
}

function earlier(record: Record, step: StepRecord): readonly StepRecord[] {
  return record.steps.filter((one) => one.startedAt < step.startedAt && isSame(record, one, step))
}

/** Nothing is kept any more of what was done for the clink by `from`. */
function isForgotten(record: Record, { clinkId, life }: Named, from: number, to: number): boolean {
  const asks = record.asksOf(life, clinkId, to)
  const told = record.toldTogether(life, clinkId).filter(({ at }) => at <= to)
  const isDone = told.some(({ at, event }) => {
    if (at < from || event.event !== 'clink.completed') return false
    // By that its sender may have been told that it has failed: then its letter stays.
    const letter = told.findLast((one) => one.at <= at && one.event.event === 'clink.deadLettered')
    if (letter === undefined) return true
    return asks.some(({ answer, askedAt }) => answer === 'done' && askedAt >= letter.at && askedAt <= at)
  })
  const isRerun = told.some(({ at, event }) => at >= from && event.event === 'clink.rerunDone')
  return isDone || isRerun || asks.some(({ askedAt, what }) => what === 'discard' && askedAt >= from)
}

/** Fleet: a member does a step of which it cannot know that another one has kept it. Each goes on with what it came to there. */
function isUnknownTo(evidence: Evidence, kept: StepRecord, step: StepRecord): boolean {
  return isDoneAtOnce(evidence.record, kept, step) || isKeptBehindItsBack(evidence, kept, step)
}

/** Runs of two members, of which one has no claim any more, unheard or not heeded, go on at once: each has read what was kept when it came to its first step. */
function isDoneAtOnce(record: Record, { keptAt = Infinity, life: by }: StepRecord, step: StepRecord): boolean {
  const { isOfFleet, state } = record.life(step.life)
  return isOfFleet === true && record.life(by).state !== state && firstLook(record, step) < keptAt
}

/** When the run of a step has come to its first one, or to a sleep. */
function firstLook(record: Record, { clinkId, life, startedAt: at }: StepRecord): number {
  const since =
    record.runsOf(life, clinkId).findLast((one) => one.life === life && one.startedAt <= at)?.startedAt ?? at
  const isIts = (one: Named): boolean => one.life === life && one.clinkId === clinkId
  const steps = record.steps.flatMap((one) => (isIts(one) ? [one.startedAt] : []))
  const naps = record.naps.flatMap((one) => (isIts(one) ? [one.askedAt] : []))
  return Math.min(at, ...[...steps, ...naps].filter((looked) => looked >= since))
}

/**
 * Fleet: a person has given back a clink that a member had claimed, and another one, which claimed it then, has kept the step. The first one hears of that
 * by its next renewal. Until then it goes on with what it has read a moment before its start: where nobody else had started the clink by then, that is no step.
 */
function isKeptBehindItsBack(
  { plan, record }: Evidence,
  { keptAt = Infinity, life: by }: StepRecord,
  step: StepRecord,
): boolean {
  const { clinkId, life, startedAt: at } = step
  const { isOfFleet, startedAt: since, state } = record.life(life)
  if (isOfFleet !== true || record.life(by).state === state || since > keptAt) return false
  const runs = record.knownRunsOf(life, clinkId)
  const [run, again] = runs.filter((one) => one.life === life && one.startedAt <= at)
  if (run === undefined || again !== undefined || runs.some(({ startedAt }) => startedAt < since)) return false
  if (keptAt <= record.fleet.unheardFrom(life, run.startedAt, plan.world.store?.slowest)) return false
  const claimedAt = claimOf(record, run) ?? Infinity
  const given = record.acts.find((act) => act.clinkId === clinkId && act.what === 'release' && act.at > claimedAt)
  if (given === undefined) return false
  const isTold = (record.requestsByClink.get(clinkId) ?? []).some((one) => {
    const { arrivedAt = Infinity, endedAt = Infinity, kind } = one
    return kind === 'claim' && one.life === life && arrivedAt > given.at && endedAt < at && !claims(record, one)
  })
  return !isTold && record.grantsOf(by, clinkId).some((grant) => grant.at >= given.at && grant.at <= keptAt)
}

/** What is asked as a renewal makes another claim, where the one before was gone, and its answer is the same: nobody hears of that by it. */
function claims(record: Record, request: RequestRecord): boolean {
  const { clinkId = '', life } = request
  return record.grantsOf(life, clinkId).some((grant) => grant.isNew && grant.request === request)
}

function breach(rule: string, { clinkId, life, name }: Named, at: number, text: string): Breach {
  return { rule, at, life, text: `${name} of ${clinkId} ${text}` }
}
