import type { StoredClink } from '../../../src/emulator/emulator.ts'
import { isLost, waitsForProof } from '../asked.ts'
import { resultIn } from '../handlers.ts'
import type { Breach, Evidence, Rule } from '../judge.ts'
import type { Record, RequestRecord, RunRecord } from '../record.ts'

/**
 * P5: a result that may have reached the sender is sent again only after somebody has retried the letter once more, since sending
 * cannot be repeated safely. What a claim stood for is never sent in this way, nor is anything whose letter was discarded.
 */
export const resultsAreSentOnce: Rule = ({ record }) => {
  const sends = record.requests.filter(({ result }) => result !== undefined)
  return sends.flatMap((request, index): readonly Breach[] => {
    const { life, result = '', sentAt, begunAt, n } = request
    const run = runOf(record, result)
    if (sentAt === undefined || run === undefined) return []
    const breach = (text: string): Breach => ({
      rule: 'P5',
      at: sentAt,
      life,
      text: `#${n} sends a result of ${run.clinkId} ${text}`,
    })
    const asks = record.asksOf(life, run.clinkId, begunAt)
    const last = sends.slice(0, index).findLast((other) => other.result === result && mayHaveArrived(other))
    const isAsked = asks.some((ask) => {
      return ask.what === 'retry' && ask.askedAt > (last?.begunAt ?? 0) && record.isNoRepetition(ask, begunAt)
    })
    const isDiscarded = asks.some(({ what, answer, answeredAt = Infinity }) => {
      return what === 'discard' && answer === 'done' && answeredAt < begunAt
    })
    return [
      ...(last !== undefined && !isAsked ? [breach(`again after #${last.n}, and nobody has asked for that`)] : []),
      ...(run.isRerun === true ? [] : [breach('that was computed under a claim')]),
      ...(isDiscarded ? [breach('though its letter was discarded')] : []),
    ]
  })
}

/** By what its sender knows. */
function mayHaveArrived({ ended, sentAt, toldStatus = 0 }: RequestRecord): boolean {
  if (sentAt === undefined) return false
  // A redirect carries nothing out (§3).
  return ended !== 'answered' || toldStatus < 300 || toldStatus === 408 || toldStatus >= 500
}

function runOf(record: Record, result: string): RunRecord | undefined {
  return record.runsByClink.get(result.split(' ')[0] ?? '')?.find((run) => run.result === result)
}

/**
 * P5: what a rerun has computed reaches the sender of its clink, in its group; or the worker says that it does not know, or that
 * the service does not take it; or somebody has discarded the letter.
 */
export const rerunResultsReachTheirSender: Rule = (evidence) => {
  const { emulator, record } = evidence
  const sent = new Map<string, StoredClink[]>()
  for (const clink of emulator.clinks()) {
    const result = clink.answers === undefined ? resultIn(clink.content) : undefined
    if (result !== undefined) sent.set(result, [...(sent.get(result) ?? []), clink])
  }
  return record.runs.flatMap((run): readonly Breach[] => {
    const { clinkId, endedAt, isCutShort, abortedAt, life, result } = run
    if (run.isRerun !== true || result === undefined || endedAt === undefined) return []
    const of = emulator.clink(clinkId)
    const breach = (text: string): Breach => ({
      rule: 'P5',
      at: endedAt,
      life,
      text: `the result of ${clinkId} ${text}`,
    })
    const arrived = sent.get(result) ?? []
    const astray = arrived.filter((one) => one.for !== of?.sender_id || one.group_id !== of?.group_id)
    const isCounted = isCutShort !== true && abortedAt === undefined
    const isLost = isCounted && arrived.length === 0 && !isExcused(evidence, run)
    return [
      ...(isLost ? [breach('has reached nobody, and nothing is said of it')] : []),
      ...(astray.length > 0 ? [breach('has reached somebody else')] : []),
    ]
  })
}

function isExcused({ record }: Evidence, { clinkId, endedAt = 0, life }: RunRecord): boolean {
  const isDiscarded = record.asksOf(life, clinkId).some(({ what }) => what === 'discard')
  const isSaid = record
    .toldTogether(life, clinkId)
    .some(
      ({ at, event }) =>
        at >= endedAt && (event.event === 'clink.resultUnknown' || event.event === 'clink.deadLettered'),
    )
  const { state } = record.life(life)
  const last = record.livesOf(state).at(-1)
  const waits = last !== undefined && waitsForProof(record, last)
  return isDiscarded || isSaid || waits || isLost(record, state) || isWrittenUnsaid(record, clinkId, endedAt, state)
}

/** Steps of a letter whose result only people send again. */
const LEFT: ReadonlySet<string | undefined> = new Set(['unknown', 'refused'])

/** A fleet knows what the service has said to it, and so does whoever looks at its letter: its process has crashed before it said so as well. */
function isWrittenUnsaid(record: Record, clinkId: string, endedAt: number, state: string): boolean {
  const known = record.fleet.factsOf(clinkId, record.now).at(-1)
  if (known === undefined || known.at < endedAt || !LEFT.has(known.step)) return false
  return record.livesOf(state).some(({ crashedAt = -Infinity }) => crashedAt >= endedAt)
}
