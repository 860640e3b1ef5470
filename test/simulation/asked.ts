import type { LetterAsk, Record } from './record.ts'

/** Facts with which a rerun comes to its end. */
const ENDS: ReadonlySet<string> = new Set(['clink.rerunDone', 'clink.deadLettered', 'clink.resultUnknown'])

/** Letters that are to be run again without a claim, by the answer that somebody got, and of which nothing has come yet. */
export function unfinishedReruns(record: Record): readonly LetterAsk[] {
  return record.asks.filter(({ answer, askedAt, clinkId, state, what }) => {
    const life = record.livesOf(state).at(-1)
    if (what !== 'retry' || answer !== 'rerun' || life === undefined || isLost(record, state)) return false
    const isOver = record.told(life.name, clinkId).some(({ at, event }) => at >= askedAt && ENDS.has(event.event))
    // Nobody knows whether it was discarded where that was not answered.
    return !isOver && !record.asksOf(life.name, clinkId).some((ask) => ask.what === 'discard' && ask.askedAt >= askedAt)
  })
}

/** The worker's disk was lost with this state, and it has gone on with another. */
export function isLost(record: Record, state: string): boolean {
  const worker = record.livesOf(state)[0]?.worker
  return [...record.lives.values()].findLast((life) => life.worker === worker)?.state !== state
}
