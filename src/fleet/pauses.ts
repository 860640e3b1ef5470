import { z } from 'zod'
import { steadyOf, type Clock } from '../base/clock.ts'
import { Signal } from '../base/signal.ts'
import { tryTo } from '../base/try-to.ts'
import type { FleetPause, SeenPauses } from '../ledger/fleet.ts'
import { leftOf, PAUSES, pausesIn } from '../ledger/pauses.ts'
import type { LedgerTables } from '../ledger/tables.ts'

/** What a fleet keeps of a pause. A later version may say more. */
const kept = z.object({
  route: z.string().exactOptional(),
  by: z.string(),
  note: z.string().exactOptional(),
  /** Milliseconds from when it was written on. Left out: until somebody ends it. */
  for: z.number().exactOptional(),
  /** When it was asked for, where it was told by a member to a store that was made anew: wall time in milliseconds. */
  since: z.number().exactOptional(),
})
export type KeptFleetPause = z.output<typeof kept>

/** The name of its row: there is one pause of everything, and one of each route. */
export function pauseId(route: string | undefined): string {
  return route === undefined ? 'everything' : `route ${route}`
}

/** @param row JSON. @param left milliseconds by the clock of the store; undefined: it has no end. */
export function pauseOf(row: string, at: number, left: number | undefined): FleetPause[] {
  const { data } = kept.safeParse(tryTo((): unknown => JSON.parse(row)))
  if (data === undefined) return []
  const { for: _, since = at, ...pause } = data
  return [{ ...pause, at: since, left }]
}

/** How it is told to a store that was made anew. */
function toldAnew({ at, left, ...pause }: FleetPause): KeptFleetPause {
  return { ...pause, since: at, ...(left !== undefined && { for: Math.ceil(left) }) }
}

/** What an earlier process of this member has read last. */
function keptBy({ facts }: Pick<LedgerTables, 'facts'>, wall: number): readonly FleetPause[] {
  const noBoot = { id: '', uptime: () => 0 }
  return pausesIn(facts.get(PAUSES.fleet)).map(({ until, ...pause }) => ({
    ...pause,
    left: until && leftOf({ until }, noBoot, wall),
  }))
}

/** The pauses that a member has read last. */
export class ReadPauses implements SeenPauses {
  readonly read = new Signal()
  readonly #clock: Clock
  readonly #local: Pick<LedgerTables, 'facts'>
  #last: { readonly pauses: readonly FleetPause[]; readonly at: number } | undefined

  constructor(clock: Clock, local: Pick<LedgerTables, 'facts'>) {
    this.#clock = clock
    this.#local = local
  }

  /** What a store that was made anew is told: what this process has read last, or the one before it. */
  get remembered(): readonly KeptFleetPause[] {
    const all = this.list() ?? keptBy(this.#local, this.#clock.wall())
    return all.filter(({ left = Infinity }) => left > 0).map(toldAnew)
  }

  /** Whether this process has read them. It is asked at each start. */
  get areRead(): boolean {
    return this.#last !== undefined
  }

  list(): readonly FleetPause[] | undefined {
    if (this.#last === undefined) return undefined
    const age = this.#now - this.#last.at
    return this.#last.pauses
      .map(({ left, ...pause }) => ({ ...pause, left: left === undefined ? undefined : left - age }))
      .filter(({ left = Infinity }) => left > 0)
  }

  /** @returns whether other ones stand than before. */
  take(pauses: readonly FleetPause[]): boolean {
    const before = namesOf(this.list() ?? [])
    this.#last = { pauses, at: this.#now }
    this.read.say()
    return namesOf(pauses) !== before
  }

  get #now(): number {
    return steadyOf(this.#clock).now()
  }
}

function namesOf(pauses: readonly FleetPause[]): string {
  const names = pauses.map(({ at, route }) => `${at} ${pauseId(route)}`)
  return names.toSorted().join('\n')
}
