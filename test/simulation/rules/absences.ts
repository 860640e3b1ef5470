import type { Rule } from '../judge.ts'

/** P10, §4: where no run can be begun the clinks are not at fault, and one is enough to know: the route is paused at once. */
export const absencesPauseRoutes: Rule = ({ record }) =>
  record.refused.flatMap(({ at, clinkId, life }) => {
    // What a stop aborts tells nothing about the route.
    const { stopAskedAt = Infinity } = record.life(life)
    const told = record.eventsByLife.get(life) ?? []
    const last = told.findLast(({ at: then, event }) => {
      return then <= at && (event.event === 'route.paused' || event.event === 'route.resumed')
    })
    if (stopAskedAt <= at || last?.event.event === 'route.paused') return []
    const text = `no run of ${clinkId} can be begun, and its route is not paused`
    return [{ rule: 'P10', at, life, text }]
  })
