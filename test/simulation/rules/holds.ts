import type { Breach, Rule } from '../judge.ts'
import type { HoldRecord, Record } from '../record.ts'

/**
 * Design §6: from the answer to an operator who pauses or drains a worker until somebody wants it to go on, no poll claims for it, and no clink is
 * taken: not by a claim by id that was on its way either. What it had in hand before, it has. A drain ends with its process. That all goes on afterwards
 * say the other rules.
 */
export const nothingIsTakenWhileHeld: Rule = ({ record }) =>
  record.holds.flatMap((hold) => {
    const lives = new Set(hold.what === 'drain' ? [hold.life] : record.livesOf(hold.state).map(({ name }) => name))
    return takenWhileHeld(record, hold, lives)
  })

export function takenWhileHeld(record: Record, hold: HoldRecord, lives: ReadonlySet<string>): readonly Breach[] {
  return [...polled(record, hold, lives), ...taken(record, hold, lives)]
}

function polled(
  record: Record,
  { from = Infinity, to = Infinity, what }: HoldRecord,
  lives: ReadonlySet<string>,
): Breach[] {
  return record.requests
    .filter(({ begunAt, kind, life }) => lives.has(life) && kind === 'poll' && begunAt > from && begunAt < to)
    .map(({ begunAt: at, life, n }) => ({ rule: '§6', at, life, text: `#${n} polls although it is held (${what})` }))
}

function taken(record: Record, hold: HoldRecord, lives: ReadonlySet<string>): Breach[] {
  const { from = Infinity, to = Infinity, what } = hold
  return [...lives].flatMap((life) =>
    (record.eventsByLife.get(life) ?? []).flatMap(({ at, event }): Breach[] => {
      if (event.event !== 'clink.claimed' || at <= from || at >= to) return []
      const { clink_id: id } = event.clink
      if (hadInHand(record, hold.state, id, Math.max(from, record.life(life).startedAt))) return []
      return [{ rule: '§6', at, life, text: `takes ${id} although it is held (${what})` }]
    }),
  )
}

/** An earlier process had it in hand, and what it holds is taken up by the next one. */
function hadInHand(record: Record, state: string, clinkId: string, before: number): boolean {
  return record
    .livesOf(state)
    .flatMap(({ name }) => record.eventsByLife.get(name) ?? [])
    .some(({ at, event }) => event.event === 'clink.claimed' && at < before && event.clink.clink_id === clinkId)
}
