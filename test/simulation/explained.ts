import type { Config } from '../../src/config/config.ts'
import { unfinishedReruns } from './asked.ts'
import { isChosen, NUMBER } from './distortion.ts'
import type { Emulator, StoredClink } from '../../src/emulator/emulator.ts'
import type { LeftAlone } from '../../src/events.ts'
import { GROUPS } from './plan-scope.ts'
import { KILLER, NO_ROUTE, workerOf, type Plan, type WorkerPlan } from './plan.ts'
import type { EventRecord, LifeRecord, Record, RunRecord } from './record.ts'
import { configsKept, configsUntil } from './settings.ts'
import { isInScope, isTooOld } from './scope.ts'
import { SAYS } from './world.ts'

export interface Explaining {
  readonly plan: Plan
  readonly record: Record
  readonly emulator: Emulator
  /** Processes that are up now. */
  readonly lives: readonly string[]
}

interface Open {
  readonly clinkId: string
  readonly why: string
}

/** Clinks that somebody should still do something about, with what is wrong. Empty: everything has come to an end. */
export function explained(facts: Explaining): readonly Open[] {
  const reruns = unfinishedReruns(facts.record)
  const why = 'to be run again by hand, and nothing has come of it'
  return [...openClinks(facts), ...reruns.map(({ clinkId }) => ({ clinkId, why }))]
}

/** Its claim has not run out yet. */
export const GONE = 'claimed by a process that is gone'

function openClinks(facts: Explaining): readonly Open[] {
  const { emulator, lives } = facts
  const { newState } = facts.plan.restarts
  return emulator.clinks().flatMap((clink) => {
    if (clink.status === 'completed') return []
    // Who loses its memory with each crash never finds out what ends it.
    if (clink.content === KILLER && newState > 0) return []
    const { claim } = clink
    // Its claims by id fail for good.
    if (clink.content.startsWith(SAYS.sour)) return []
    if (isUnreadable(facts, clink) || isLeftByFleet(facts, clink)) return []
    // A person's claim, or one of a process that is gone: the service will see to it.
    const asked = lives.filter((life) => claim === undefined || facts.record.life(life).state === claim.session)
    if (claim !== undefined && asked.length === 0) {
      if (claim.session === 'web' || isTriedByTheForgetful(facts, clink.clink_id)) return []
      return [{ clinkId: clink.clink_id, why: GONE }]
    }
    // What one process holds no other can have heard of.
    const open = asked.filter((life) => {
      const worker = workerOf(facts.plan, life)
      if (isRefusing(facts.plan, facts.record, life) || cannotTellSiblings(facts, worker, life)) return false
      return canSee(facts, worker, clink) && whyNot(facts, life, worker, clink) === undefined
    })
    return open.length === 0
      ? []
      : [{ clinkId: clink.clink_id, why: `${clink.status}, and ${open.join(', ')} could run it` }]
  })
}

/** All members of a fleet know that it is given up, and rightly, or that nobody takes it: one may have it each time before another one sees it. */
function isLeftByFleet(facts: Explaining, { clink_id: id, content }: StoredClink): boolean {
  const { lives, plan, record } = facts
  if (plan.world.fleet === undefined) return false
  const [life] = lives
  const isKnown = record.fleet.factsOf(id, record.now).at(-1)?.isGivenUp === true
  return content.startsWith(NO_ROUTE) || (isKnown && life !== undefined && isGivenUp(facts, life, id))
}

/** §1: what finds out about siblings runs out. Whose memory is lost each time that a clink ends the process finds that out again and again, on the same clink. */
function isTriedByTheForgetful({ emulator, plan, record }: Explaining, id: string): boolean {
  const isEnded = emulator.clinks().some(({ content, status }) => content === KILLER && status !== 'completed')
  const isTrial = ({ event }: EventRecord): boolean =>
    event.event === 'clink.leftToExpire' && event.why.includes('siblings: granted')
  return (
    plan.restarts.newState > 0 &&
    isEnded &&
    [...record.lives.keys()].some((life) => record.told(life, id).some(isTrial))
  )
}

/** Fields without which nobody can work a clink. */
const NEEDED: ReadonlySet<string> = new Set(['clink_id', 'group_id', 'sender_id', 'content', 'status'])

/** §0: a record that lacks what its clink cannot be worked without may be left alone, where that is said. */
export function isUnreadable({ plan, record }: Pick<Explaining, 'plan' | 'record'>, clink: StoredClink): boolean {
  const { field } = plan.world
  if (field === undefined || !NEEDED.has(field.name) || !isChosen(clink.clink_id, field.every)) return false
  const isHidden = field.name === 'clink_id'
  return isHidden || [...record.lives.keys()].some((life) => record.told(life, clink.clink_id).some(isMalformed))
}

const isMalformed = ({ event }: EventRecord): boolean => 'why' in event && event.why === 'malformed'

/** Whether it cannot work as it is told to, for a reason that the documents give, and says so: it is not ready. */
export function isRefusing(plan: Plan, record: Record, life: string, at = Infinity): boolean {
  const last = record.readiness.findLast((one) => one.life === life && one.at <= at)
  if (last === undefined || last.isReady || last.reasons.every((reason) => PASSING.test(reason))) return false
  return mayBeUnable(plan, workerOf(plan, life))
}

/** Milliseconds in which each member of a fleet has tried it, one after the other. */
const ALL_HAVE_TRIED = 600_000

/** Refusals that may be somebody else's never show whether sessions are kept apart. It tries that on, and is ready whenever it may try again. */
function cannotTellSiblings({ plan, record }: Explaining, worker: WorkerPlan, life: string): boolean {
  if (plan.world.refusals === 'envelope' || worker.config.claim.exclusive || !needsSelect(worker)) return false
  return record.readiness.some(({ at, isReady, life: of, reasons }) => {
    const isRecent = of === life && at >= record.now - ALL_HAVE_TRIED
    return isRecent && !isReady && reasons.some((reason) => reason.includes('keeps sessions with the same key apart'))
  })
}

/** Reasons of a worker that has only to wait. */
const PASSING = /does not answer as it should|first poll was not answered|is stopping/

/** Whether the service may keep this worker from working at all, by what a plan says of both. */
function mayBeUnable(plan: Plan, worker: WorkerPlan): boolean {
  const { config } = worker
  const { field, refusals } = plan.world
  // Claims by id are safe only where siblings' are known to be refused.
  if (needsSelect(worker) && !config.claim.exclusive) return true
  // Whose claims they are is not shown, or to whom a clink is addressed.
  if (plan.switches.pollRecords !== 'claimed' || IDENTITY.has(field?.name ?? '')) return true
  const isAuto = config.clink.identity === 'auto'
  // How long a claim lasts is not told, and asking is refused.
  const isAskable = plan.switches.reclaim === 'renew' && refusals === 'envelope' && plan.world.pages.length === 0
  return isAuto || mayStayUnknown(plan) || (!tellsTimes(plan) && !isAskable)
}

const IDENTITY: ReadonlySet<string> = new Set(['claimed_by', 'sender_id', 'for', 'status'])

/** Whether answers say when claims end, in a way that everybody reads. */
export function tellsTimes({ switches, world }: Plan): boolean {
  if (switches.claimTimes === 'absent' || world.times !== undefined) return false
  return world.field?.name !== 'claimed_at' && world.field?.name !== 'claim_expires_at'
}

/** Whether a configuration can only be kept to by claims by id. */
export function needsSelect({ config: { inbox } }: WorkerPlan): boolean {
  return (
    inbox.claim === 'select' ||
    inbox.for === 'me' ||
    inbox.ignore.length > 0 ||
    inbox.groups.length > 0 ||
    inbox.maxAge !== null ||
    inbox.loopLimit !== null
  )
}

/** Whether this worker wants the clink, and a poll of it could bring it at all. */
export function canSee({ plan, emulator, record }: Explaining, worker: WorkerPlan, clink: StoredClink): boolean {
  if (worker.owner.startsWith('ap_') && clink.group_id !== GROUPS[0].id) return false
  if (hasLeft(record, worker, clink)) return false
  // The service goes by what it knows, and the worker by what it is shown.
  if (!isInScope(worker, clink) || !isInScope(worker, asShown(plan, clink, worker))) return false
  if (isTooOld(worker, emulator.now() - clink.created)) return false
  return plan.switches.ownClinks !== 'hidden' || clink.sender_id !== worker.owner
}

/** §0: it is worked with what its record has; without a recipient it is for nobody, and a number as its group is another group. */
function asShown({ world: { field } }: Plan, clink: StoredClink, { config: { inbox } }: WorkerPlan): StoredClink {
  if (field === undefined || !isChosen(clink.clink_id, field.every)) return clink
  // Its slug still says which one it is.
  const isById = inbox.groups.some((name) => GROUPS.some(({ id }) => id === name.toLowerCase()))
  if (field.name === 'group_id' && field.as === 'number' && isById) return { ...clink, group_id: String(NUMBER) }
  if (field.name !== 'for') return clink
  const { for: _, ...rest } = clink
  return rest
}

/** Forms of time that are none by the contract: a reader may understand them or not. */
const UNCLEAR: ReadonlySet<string | undefined> = new Set(['basic', 'words', 'number', 'nonsense'])

/** §0: without the time of its creation a clink has no age. */
export function hasAge({ world: { field, times } }: Plan, clinkId: string): boolean {
  return !UNCLEAR.has(times) && (field?.name !== 'created_at' || !isChosen(clinkId, field.every))
}

/** No clink has a time of its creation that everybody reads: nothing can be asked for behind a page. */
export function isTimeless({ world: { field, times } }: Plan): boolean {
  return UNCLEAR.has(times) || (field?.name === 'created_at' && field.every === 1)
}

/** Its owner has left the group of the clink: the service takes nothing of it for that clink any more. */
export function hasLeft(record: Record, { owner }: WorkerPlan, clink: StoredClink): boolean {
  const group = GROUPS.find(({ id }) => id === clink.group_id)?.slug
  return record.keyActs.some((act) => act.what === 'leave' && act.group === group && `user_${act.owner}` === owner)
}

/** What a process said last of a clink that it does not run, where that is true; undefined: it should run it. */
function whyNot(facts: Explaining, life: string, worker: WorkerPlan, clink: StoredClink): string | undefined {
  const { record, emulator } = facts
  const { clink_id: id } = clink
  const told = record.told(life, id)
  const last = told.findLast(({ event }) => REASONS.has(event.event))?.event
  const isOver =
    clink.content === KILLER ||
    isDiscarded(record, life, id) ||
    isGivenUp(facts, life, id) ||
    isUndeliverable(record, life, id)
  const wasReleased = record.knownRunsThatCount(life, id, Infinity).some(({ end }) => end === 'release')
  if (last?.event === 'clink.released') {
    if (last.why === 'handler') return wasReleased ? 'released' : undefined
    return isOver || last.why === 'parked' || last.why === 'hold-too-long' ? last.why : undefined
  }
  // That it is left alone from then on was said when it was given up for the first time.
  if (last?.event === 'clink.leftToExpire') {
    if (isOver || isTooSlow(facts.plan)) return isOver ? 'given up' : 'too slow'
    if (mayStayUnknown(facts.plan, id)) return 'the length of its claim is not known'
  }
  // Why it was left alone stays true where a claim is left to its end, or nobody can tell whose it is. What passes is not meant, nor what was in hand since then.
  const isOfClaim = last?.event === 'clink.leftToExpire' || isNotClaimed(last)
  const said = isOfClaim ? told.findLast(({ event }) => VIEWS.has(event.event) && !isNotClaimed(event))?.event : last
  if (said?.event === 'clink.deadLettered') {
    // Whether its result has arrived since is for people to find out.
    const isLeft = told.findLast(({ event }) => LETTER_ENDS.has(event.event))?.event.event === 'clink.resultUnknown'
    return isOver || isLeft ? 'given up' : undefined
  }
  if (said?.event !== 'clink.leftAlone' && said?.event !== 'clink.parked') return undefined
  if (isOfClaim && !LASTING.has(said.why)) return undefined
  const truths: { readonly [W in LeftAlone]?: boolean } = {
    'own-reply': mayBeOurs(emulator, facts.plan, worker, clink),
    'given-up': isOver || isToRunAgain(record, life, id),
    cooling: wasReleased || record.toldTogether(life, id).some(({ event }) => LET_GO.has(event.event)),
    'no-route': clink.content.startsWith(NO_ROUTE),
    'identity-unknown': worker.config.clink.identity === 'auto' && isMarked(clink),
    note: / · (note|hop end)$/.test(clink.content.trimEnd()),
    muted: record.eventsByLife.get(life)?.some(({ event }) => event.event === 'sender.muted') === true,
  }
  return truths[said.why] === true ? said.why : undefined
}

/** With these a process says what it thinks of a clink: that it is not to be run, or that it is. */
const VIEWS: ReadonlySet<string> = new Set(['clink.claimed', 'clink.leftAlone', 'clink.parked', 'clink.deadLettered'])

/** §1: of a page that others have won a part of, nothing is taken where nobody can tell which part. That says nothing of the clink. */
const isNotClaimed = (event?: EventRecord['event']): boolean =>
  event?.event === 'clink.leftAlone' && event.why === 'not-claimed'

const LETTER_ENDS: ReadonlySet<string> = new Set(['clink.deadLettered', 'clink.resultUnknown'])

/** Reasons that lie in the clink itself, or that only an operator ends. */
const LASTING: ReadonlySet<string> = new Set(['own-reply', 'no-route', 'note', 'given-up'])

/** Its letter is what is run again, not the clink that waits in the inbox. */
function isToRunAgain(record: Record, life: string, id: string): boolean {
  const asked = record.asksOf(life, id).findLast(({ answer, what }) => what === 'retry' && answer === 'rerun')
  const done = record.toldTogether(life, id).findLast(({ event }) => event.event === 'clink.rerunDone')
  return asked !== undefined && (done?.at ?? 0) < asked.askedAt
}

/** Or may have been: whoever asked for it has had no answer. */
function isDiscarded(record: Record, life: string, id: string): boolean {
  return record.asksOf(life, id).some(({ what, answer = 'done' }) => what === 'discard' && answer === 'done')
}

const TAKES_NOT: ReadonlySet<number | undefined> = new Set([400, 403, 404, 409, 410, 413, 422])

/** §5: the service does not take what a rerun has come to, which stays with its letter. */
function isUndeliverable(record: Record, life: string, id: string): boolean {
  const results = new Set(
    record.knownRunsOf(life, id).flatMap(({ isRerun, result = [] }) => (isRerun === true ? result : [])),
  )
  if (results.size === 0) return false
  const last = record.requests.findLast(({ result }) => result !== undefined && results.has(result))
  return last?.isEnveloped === true && TAKES_NOT.has(last.toldStatus)
}

/** What is left of a lease when its claim is told is not enough for several tries that are slower than usual. */
export function isTooSlow(plan: Plan): boolean {
  // A second may be cut off its end, and another one is kept for that.
  const lost = plan.switches.claimTimes === 'seconds' ? 2_000 : 0
  return plan.faults.latency * 40 > longestClaim(plan) - lost
}

/** Milliseconds that claims last which matter, with what the service gives at most. */
export function longestClaim({ lease, switches }: Plan): number {
  const [, most = Infinity] = String(switches.maxTimeout).split(':').map(Number)
  return Math.min(lease, most * 1_000)
}

const CLAIM_TIMES: ReadonlySet<string> = new Set(['claimed_at', 'claim_expires_at'])

/** Nothing says how long a claim lasts that a poll has made, and a claim may not be renewed to learn it: no clink of it is run (§2). */
function mayStayUnknown({ switches, world: { field } }: Plan, clinkId?: string): boolean {
  const { claimTimes, defaultTimeout, pollRecords, reclaim } = switches
  const isSpoilt = clinkId !== undefined && CLAIM_TIMES.has(field?.name ?? '') && isChosen(clinkId, field?.every ?? 1)
  const isUntold = claimTimes === 'absent' || pollRecords === 'snapshot' || isSpoilt
  // A length that is not believed is not made shorter by a renewal that changes nothing: that is a refusal too.
  const isUnbelieved = Number(defaultTimeout) > 300
  // Its end alone shows that a renewal has moved nothing.
  const showsIgnored = isSpoilt && field?.name === 'claimed_at'
  return reclaim === 'refuse' ? isUntold || isUnbelieved : reclaim === 'ignore' && (isUnbelieved || showsIgnored)
}

/** It was given back, or that was tried. */
const LET_GO: ReadonlySet<string> = new Set(['clink.released', 'clink.leftToExpire'])

const REASONS: ReadonlySet<string> = new Set([
  'clink.leftToExpire',
  'clink.leftAlone',
  'clink.parked',
  'clink.deadLettered',
  'clink.released',
])

/** It ends as what workers send does, or is an object with their count in it. */
export function isMarked({ content }: StoredClink): boolean {
  const text = content.trimEnd()
  return / · (hop (\d+|end)|note)$/.test(text) || /^[[{]\t/.test(text)
}

/** Sent by the worker itself, also with a key that was somebody else's; or by its owner, with the mark or by a process that has its owner. */
export function isOurs(emulator: Emulator, plan: Plan, worker: WorkerPlan, clink: StoredClink): boolean {
  const sender = emulator.history(clink.clink_id)[0]?.session?.split('~')[0]
  if (sender === worker.name) return true
  if (clink.sender_id !== worker.owner) return false
  return isMarked(clink) || plan.workers.some(({ name }) => sender === name)
}

/** The same, or sent by another member of its fleet, which may have told that to all. */
export function mayBeOurs(emulator: Emulator, plan: Plan, worker: WorkerPlan, clink: StoredClink): boolean {
  if (isOurs(emulator, plan, worker, clink)) return true
  const sender = emulator.history(clink.clink_id)[0]?.session?.split('~')[0]
  return plan.world.fleet !== undefined && plan.workers.some(({ name }) => sender === name)
}

/** By the handler's own ends: rejected, or failed as often as is allowed, or too long for so many claims. */
function isGivenUp({ plan, record }: Explaining, life: string, id: string): boolean {
  const runs = record.knownRunsThatCount(life, id, Infinity)
  if (runs.some(({ end, abortCode }) => end === 'reject' && (abortCode ?? 'shutdown') === 'shutdown')) return true
  // A letter whose handler gives it back when it is run again stays one.
  if (runs.some(({ abortCode, end, isRerun }) => isRerun === true && end === 'release' && abortCode === undefined))
    return true
  // A start that was put off, or cut short by a stop or a crash, is no attempt; one that lost its claim is.
  const counted = runs.filter((run) => {
    const { end, abortCode, endedAt, life: of, outlivedClaim } = run
    const isOver = endedAt !== undefined || outlivedClaim === true || record.isGivenUpEarly(run)
    return (
      (isOver || record.life(of).crashedAt === undefined) &&
      abortCode !== 'shutdown' &&
      ((end !== 'retry' && end !== 'asleep') || abortCode !== undefined || outlivedClaim === true)
    )
  })
  // One that goes on after its timeout has failed, at a stop as well.
  const failed = counted.findLast((run) => isFailure({ ...run, isCutShort: false, endedAt: run.endedAt ?? record.now }))
  const attempts = (configs: readonly Config[]): number => Math.min(...attemptsOf(configs))
  // What came of a start is not waited for: until the fleet knows it counts, and the next member gives the clink up.
  const least = Math.min(...plan.workers.flatMap((worker) => attemptsOf(configsUntil(worker, record.now))))
  // One that was counted, and had not begun when its process ended, is no run at all: it crashed, or could not take it back since its store was away.
  const ended = [...record.lives.values()].filter((one) => {
    const { crashedAt, name, stoppedAt = -Infinity } = one
    const isCutOff = crashedAt !== undefined || record.fleet.worksFrom(name, stoppedAt) > stoppedAt
    if (isCutOff && record.fleet.writesOf(id, name).length > 0) return true
    return sleptBeforeStart(record, one, runs, id) || record.fleet.wasGivenUpUnheard(id, name, runs)
  })
  const allAway = record.awayStartsThatCount(life, id, Infinity)
  const away = allAway.filter((start) => record.hasLostClaim(start, Infinity))
  // Nor could one be begun whose claim was lost before that showed, or before its store took what its process had to tell of it.
  const untold = record.awayStartsOf(life, id, Infinity).filter(({ endedAt = Infinity, life: of }) => {
    return record.fleet.wasGivenUpUntold(id, of, endedAt)
  })
  const notBegun = [...new Set([...away, ...untold])].filter((start) => ended.every(({ name }) => name !== start.life))
  const unknown = [...runs.filter((run) => !wasGivenBack(record, run)), ...notBegun]
  if (plan.world.fleet !== undefined && unknown.length + ended.length >= least) return true
  const starts = counted.length + allAway.length
  if (failed !== undefined && starts >= attempts(configsKept(plan, record, failed))) return true
  const outlived = [...runs.filter((run) => run.outlivedClaim === true), ...away].filter((start) =>
    mayBeUnrenewed(plan, record, start),
  )
  if (outlived.length >= attempts(configsUntil(workerOf(plan, life), record.now))) return true
  // The service does not take the completion: that is an end too. A 413 counts whatever its body, and without another try.
  const isTooLarge = record.requestsByClink
    .get(id)
    ?.some(
      ({ kind, life: of, toldStatus }) =>
        kind === 'complete' && toldStatus === 413 && record.sharesWith(life, record.life(of).state),
    )
  return (
    isTooLarge === true || record.toldTogether(life, id).some(({ event }) => event.event === 'clink.settlementFailed')
  )
}

/** It had counted a start and slept before that began: until it wakes the fleet counts it, and another member may have had the last one meanwhile. */
function sleptBeforeStart(
  record: Record,
  { name, sleeps }: LifeRecord,
  runs: readonly RunRecord[],
  id: string,
): boolean {
  return sleeps.some(({ from, to }) => {
    const counted = record.fleet.writesOf(id, name).findLast((at) => at <= from)
    if (counted === undefined) return false
    return (
      runs.some((run) => run.startedAt > from && run.startedAt <= to && run.life !== name) &&
      !runs.some((run) => run.life === name && run.startedAt >= counted && run.startedAt <= to)
    )
  })
}

/** Its handler wanted that, and its member has told it: the others know what came of it. */
function wasGivenBack(
  record: Record,
  { abortedAt, clinkId, end, endedAt = Infinity, isCutShort, life }: RunRecord,
): boolean {
  if (end !== 'release' || abortedAt !== undefined || isCutShort === true) return false
  return record.told(life, clinkId).some(({ at, event, life: by }) => {
    return by === life && at >= endedAt && event.event === 'clink.released' && event.why === 'handler'
  })
}

const attemptsOf = (configs: readonly Config[]): readonly number[] => configs.map(({ retry }) => retry.attempts)

/** Statuses by which the service says that it does not renew a claim. */
const DECLINES: ReadonlySet<number | undefined> = new Set([403, 404, 409, 410])

/**
 * Told in whole seconds, a renewal shows another end only after a second at most. Two more and the margin go to the age of the list that the
 * claim was made by, and to what is cut off its end.
 */
const SHOWN_TOO_LATE = 3_000

/** Whether the process may have learnt that the service does not renew the claim of a run, or that nothing shows it. */
function mayBeUnrenewed(plan: Plan, record: Record, { clinkId, life }: Pick<RunRecord, 'clinkId' | 'life'>): boolean {
  const { switches } = plan
  if (isTooSlow(plan) || switches.reclaim === 'ignore' || !tellsTimes(plan)) return true
  const { timeout } = workerOf(plan, life).config.claim
  if (switches.claimTimes === 'seconds' && Math.min(longestClaim(plan), timeout) <= SHOWN_TOO_LATE) return true
  const renewals = record.requestsByClink.get(clinkId)?.filter(({ kind, life: of }) => kind === 'claim' && of === life)
  return renewals?.some(({ toldStatus }) => DECLINES.has(toldStatus)) === true
}

/** A run that ended with its claim gone is lost and not failed, whatever it came to. */
export function isFailure({ end, endedAt, abortCode, outlivedClaim, isCutShort, isFree }: RunRecord): boolean {
  return (
    endedAt !== undefined &&
    isFree !== true &&
    outlivedClaim !== true &&
    isCutShort !== true &&
    (abortCode === 'timeout' || (end === 'failed' && abortCode === undefined))
  )
}
