import { UNDER_WAY } from './fleet-record.ts'
import type { EventRecord, GrantRecord, LetterAsk, LifeRecord, Record } from './record.ts'

/** Facts with which a rerun comes to its end. */
const ENDS: ReadonlySet<string> = new Set(['clink.rerunDone', 'clink.deadLettered', 'clink.resultUnknown'])

/** Letters that are to be run again without a claim, by the answer that somebody got, and of which nothing has come yet. */
export function unfinishedReruns(record: Record): readonly LetterAsk[] {
  return record.asks.filter((ask) => {
    const { answer, askedAt, clinkId, isElsewhere, state, what } = ask
    const owner = ownerOf(record, clinkId) ?? state
    const life = record.livesOf(owner).at(-1)
    if (what !== 'retry' || answer !== 'rerun' || life === undefined || isLost(record, state)) return false
    if (waitsForProof(record, life) || isWithLostMember(record, { askedAt, clinkId }, owner)) return false
    if (waitsForLostMember(record, clinkId)) return false
    // Another member has begun what it was told of, and may have ended it by then.
    const since = isElsewhere === true ? (record.fleet.retriedAt(clinkId, 0, askedAt) ?? askedAt) : askedAt
    const isOver = record.toldTogether(life.name, clinkId).some(({ at, event }) => at >= since && ENDS.has(event.event))
    if (isOver || isLeftToPeople(record, clinkId, askedAt) || isOverUnsaid(record, ask)) return false
    // Nobody knows whether it was discarded where that was not answered; of a fleet the store has it, if it was done later than it was asked for.
    const { isDiscarded = false } = record.fleet.factsOf(clinkId, record.now).at(-1) ?? {}
    const discards = record.asksOf(life.name, clinkId).filter((ask) => ask.what === 'discard')
    return !discards.some((one) => isDiscarded || one.askedAt >= askedAt)
  })
}

/** Its process had no time to hear whether its result has arrived: it has written that into the letter, and had none left to say so. */
function isLeftToPeople(record: Record, clinkId: string, askedAt: number): boolean {
  const sent = record.requests.findLast(({ result }) => result?.startsWith(`${clinkId} `))
  if (sent?.ended !== 'aborted' || sent.sentAt === undefined) return false
  const { crashedAt, stoppedAt = -Infinity } = record.life(sent.life)
  return crashedAt === undefined && stoppedAt === sent.endedAt && askedAt <= stoppedAt
}

/**
 * It has run again, or its result was sent once more, and its fleet knows what came of that; its process has crashed before it said so, or stopped before its store had answered. One that was
 * under way when somebody asked for it once more may have run by then: that changes nothing, and the fleet may know how it ended only by the next process.
 */
function isOverUnsaid(record: Record, ask: LetterAsk): boolean {
  const { answeredAt, askedAt, clinkId, isElsewhere, isUnderWay } = ask
  const isRepetition = isElsewhere === true || isUnderWay
  const begunAt = isRepetition ? record.fleet.retriedAt(clinkId, 0, answeredAt ?? askedAt) : undefined
  const known = record.fleet.factsOf(clinkId, record.now).at(-1)
  return lastWorkOn(record, clinkId).some(({ endedAt, life }) => {
    const { crashedAt, stoppedAt = Infinity } = record.life(life)
    if (endedAt === undefined || endedAt < (begunAt ?? askedAt)) return false
    const isKnown = known !== undefined && known.at >= endedAt && !UNDER_WAY.has(known.step)
    return isKnown && (crashedAt !== undefined || record.fleet.isWriting(life, stoppedAt, Infinity))
  })
}

/** Its last run without a claim, which ends with its process and which the next one may give up for that; and the last time that its result has arrived. */
function lastWorkOn(record: Record, clinkId: string) {
  const run = record.runsByClink.get(clinkId)?.findLast(({ isRerun }) => isRerun === true)
  const sent = record.requests.findLast(({ result }) => result?.startsWith(`${clinkId} `))
  return [
    ...(run === undefined ? [] : [{ life: run.life, endedAt: run.endedAt ?? record.life(run.life).crashedAt }]),
    ...(sent === undefined ? [] : [{ life: sent.life, endedAt: sent.arrivedAt }]),
  ]
}

/**
 * Its rerun is that of a member of a fleet whose disk was lost. No other one takes it over where that has begun it; where that was asked for it later, somebody
 * has to ask another one (docs/fleet.md).
 */
function isWithLostMember(record: Record, ask: Pick<LetterAsk, 'askedAt' | 'clinkId'>, owner: string): boolean {
  const { askedAt, clinkId } = ask
  const facts = record.fleet.factsOf(clinkId, 0, record.now)
  const { by } = facts.at(-1) ?? {}
  const isBegun = facts.some((fact) => fact.by === by && UNDER_WAY.has(fact.step) && fact.step !== 'due')
  const isAskedLater = record.asks.some((other) => {
    return other.clinkId === clinkId && other.what === 'retry' && other.state === owner && other.askedAt > askedAt
  })
  return isLost(record, owner) && (isBegun || isAskedLater)
}

/**
 * Whether the rerun of a letter is that of a member that was asked for it while its store was away, and did not know that one with a lost disk had begun it:
 * it waits, says so, and takes it over when somebody asks once more (docs/fleet.md). Who has asked too early was told that it is another worker's.
 */
function waitsForLostMember(record: Record, clinkId: string): boolean {
  const { by, letter, step } = record.fleet.factsOf(clinkId, record.now).at(-1) ?? {}
  const owner = stateOf(record, by)
  const last = record.asks.findLast((ask) => ask.clinkId === clinkId && ask.what === 'retry' && ask.state === owner)
  const life = record.livesOf(owner ?? '').at(-1)
  const isTold = last?.isElsewhere === true
  if (step !== 'due' || life === undefined || last === undefined) return false
  if (last.answeredAt !== undefined && !isTold) return false
  const isSaid = record.told(life.name, clinkId).some(({ at, event }) => {
    return at >= last.askedAt && event.event === 'clink.held' && event.why.includes('has begun to run it again')
  })
  if (!isSaid && !isTold) return false
  const facts = record.fleet.factsOf(clinkId, 0, record.now).filter((fact) => fact.letter === letter && fact.by !== by)
  return [...Map.groupBy(facts, (fact) => fact.by)].some(([member, own]) => {
    const isBegun = own.some((fact) => fact.step === 'running') && UNDER_WAY.has(own.at(-1)?.step)
    const state = stateOf(record, member)
    return isBegun && state !== undefined && isLost(record, state)
  })
}

/** How many of the reruns that a process has in hand wait so. */
export function leftToLostMembers(record: Record, { state }: LifeRecord): number {
  const ids = new Set(record.asks.filter((ask) => ask.state === state).map(({ clinkId }) => clinkId))
  return [...ids].filter((id) => ownerOf(record, id) === state && waitsForLostMember(record, id)).length
}

/** The state of the member of a fleet that runs a letter again: whoever was asked last and could take it over. */
function ownerOf(record: Record, clinkId: string): string | undefined {
  return stateOf(record, record.fleet.factsOf(clinkId, record.now).at(-1)?.by)
}

function stateOf(record: Record, member = ''): string | undefined {
  const life = record.fleet.members.get(member)
  return life === undefined ? undefined : record.life(life).state
}

/**
 * Whether the key of a process is still to be proven its own by a first claim: until then nothing is run or sent without a claim,
 * since that might be in a stranger's name. Where nothing comes to be claimed, that takes as long as it takes.
 */
export function waitsForProof(record: Record, { name, startedAt }: LifeRecord): boolean {
  const told = record.eventsByLife.get(name) ?? []
  const changed = told.findLast(({ event }) => event.event === 'key.changed')
  const isProven = changed?.event.event === 'key.changed' ? changed.event.verified : hasOldKey(record, name)
  if (isProven) return false
  const since = changed?.at ?? startedAt
  return !told.some(({ at, event }, index) => {
    if (event.event !== 'clink.claimed' || at <= since) return false
    // One that was on its way when the key changed was made with the one before.
    const grant = record.grantsOf(name, event.clink.clink_id).findLast((one) => one.at <= at)
    if (grant !== undefined && grant.request.begunAt < since) return false
    // One that does not say whose it is proves something only where none has said so either.
    return namesOwner(event) || !told.slice(0, index).some((before) => namesOwner(before.event))
  })
}

function namesOwner(event: EventRecord['event']): boolean {
  return event.event === 'clink.claimed' && typeof event.clink.claimed_by === 'string'
}

/** Whether a process began with the key that made the last claim of which those before it were told. Renewals may be made by one that stands in. */
function hasOldKey(record: Record, name: string): boolean {
  const { startedAt, state } = record.life(name)
  let last: GrantRecord | undefined
  for (const grant of [...record.grantsByClink.values()].flat()) {
    const isBefore = grant.at < startedAt && record.life(grant.life).state === state
    if (isBefore && grant.isNew && grant.request.toldWell === true && grant.at >= (last?.at ?? 0)) last = grant
  }
  const first = record.requests.find(({ life }) => life === name)
  return last === undefined || last.request.key === first?.key
}

/** The worker's disk was lost with this state, and it has gone on with another. */
export function isLost(record: Record, state: string): boolean {
  const worker = record.livesOf(state)[0]?.worker
  return [...record.lives.values()].findLast((life) => life.worker === worker)?.state !== state
}
