import type { Breach, Rule } from '../judge.ts'
import type { OperationKind, Record, RequestRecord } from '../record.ts'

/** So often, over so many milliseconds, a bare refusal must be given to the same request to count for it. */
const OFTEN = 3
const OVER = 5_000

/** §0: nothing is kept from, and nothing ends by, an answer that is not the service's own. */
export const pagesAreNoVerdict: Rule = ({ record }) =>
  [...record.eventsByLife].flatMap(([life, events]) =>
    events.flatMap(({ at, event }): readonly Breach[] => {
      const told = (kinds: readonly OperationKind[], clinkId?: string): readonly RequestRecord[] =>
        answersTo(record, life, kinds, at, clinkId)
      const breach = (text: string): readonly Breach[] => [{ rule: 'P2', at, life, text }]
      if (event.event === 'worker.siblings' && event.verdict !== 'unknown') {
        if (told(['sibling']).some(isVerdict)) return []
        return breach(`siblings are taken for ${event.verdict}, and the service has not said so`)
      }
      if (event.event === 'worker.renewalUnsupported') {
        if (told(['claim']).some(isVerdict)) return []
        return breach('renewals are taken for refused by no answer of the service')
      }
      if (event.event === 'clink.settledElsewhere') {
        const { clink_id: id } = event.clink
        const answers = told(['complete', 'release', 'claim'], id)
        // What a proxy answers in its place may be looked up (§5).
        const isShown = told(['other']).some(({ endedAt, listed, toldWell }) => {
          return endedAt === at && toldWell === true && listed?.get(id) === 'completed'
        })
        if (answers.some(isVerdict) || isInsisted(answers) || isShown) return []
        return breach(`${id} is settled elsewhere, by no answer of the service`)
      }
      if (event.event !== 'poll.refused') return []
      const polls = told(['poll', 'probe'])
      if (polls.some((poll) => poll.toldStatus === 401 || isVerdict(poll)) || isInsisted(polls)) return []
      // A list is asked for after the names of groups, with the same key.
      const others = told(['other']).filter(({ life: of }) => of === life)
      const names = others.filter(({ endedAt }) => endedAt === at)
      if (names.some((one) => one.toldStatus === 401 || (one.toldStatus === 403 && isVerdict(one)))) return []
      if (isInsisted([...polls, ...others])) return []
      return breach('the key is taken for refused by no answer of the service')
    }),
  )

/** What processes with the journal of this one had been answered by then. */
function answersTo(
  record: Record,
  life: string,
  kinds: readonly OperationKind[],
  until: number,
  clinkId: string | undefined,
): readonly RequestRecord[] {
  const { state } = record.life(life)
  const all = clinkId === undefined ? record.requests : (record.requestsByClink.get(clinkId) ?? [])
  return all.filter((request) => {
    const isOurs = kinds.includes(request.kind) && record.life(request.life).state === state
    return isOurs && request.ended === 'answered' && (request.endedAt ?? Infinity) <= until
  })
}

function isVerdict({ isEnveloped, toldStatus = 0 }: RequestRecord): boolean {
  return isEnveloped === true && toldStatus < 500 && toldStatus !== 408 && toldStatus !== 429
}

function isInsisted(answers: readonly RequestRecord[]): boolean {
  const refusals = answers.filter(({ toldStatus = 0 }) => toldStatus >= 400 && toldStatus < 500)
  const times = refusals.map(({ endedAt = 0 }) => endedAt)
  return refusals.length >= OFTEN && Math.max(...times) - Math.min(...times) >= OVER - 1
}
