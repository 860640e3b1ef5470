import type { Rule } from '../judge.ts'
import type { LifeRecord, Record } from '../record.ts'

/** P8: after a stop no claim is left, but those it names and those of which it could not know or not tell. */
export const stopLeavesNothing: Rule = ({ record }) =>
  [...record.lives.values()].flatMap((life) => {
    const { name, stoppedAt: at, heldAtStop, leftBehind } = life
    if (at === undefined) return []
    return heldAtStop.flatMap((clinkId) => {
      if (leftBehind.includes(clinkId) || isExcused(record, life, clinkId)) return []
      return [{ rule: 'P8', at, life: name, text: `${clinkId} is still claimed after the stop` }]
    })
  })

function isExcused(record: Record, { name, stoppedAt }: LifeRecord, clinkId: string): boolean {
  const grants = record.grantsOf(name, clinkId)
  const last = grants.at(-1)
  // What it was not told of it cannot give back.
  if (last?.request.toldWell !== true) return true
  const told = record.requestsByClink
    .get(clinkId)
    ?.some(
      ({ life, kind, toldWell, endedAt }) =>
        life === name &&
        (kind === 'release' || kind === 'complete') &&
        toldWell !== true &&
        (endedAt ?? Infinity) >= last.at,
    )
  // Parked for as long as the claim was believed to last: where its length is not told, the service may have it longer.
  const parked = record.told(name, clinkId).findLast(({ event }) => event.event === 'clink.parked')
  const ranOut =
    parked !== undefined &&
    parked.at >= last.at &&
    parked.event.event === 'clink.parked' &&
    parked.at + parked.event.lease <= (stoppedAt ?? 0)
  const said = record
    .told(name, clinkId)
    .some(({ event, at }) => at >= last.at && (event.event === 'clink.lost' || event.event === 'clink.leftToExpire'))
  return told === true || said || ranOut || last.request.fault === '[malformed]'
}
