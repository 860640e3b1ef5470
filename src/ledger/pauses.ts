import { z } from 'zod'
import type { Boot } from '../base/boot.ts'
import type { Frozen } from '../base/frozen.ts'
import { tryTo } from '../base/try-to.ts'
import type { ProcessLedger } from './process.ts'

const pause = z.object({
  /** Left out: nothing is taken at all. */
  route: z.string().exactOptional(),
  /** Who wants it, as they said. */
  by: z.string(),
  note: z.string().exactOptional(),
  /** Wall time in milliseconds. */
  at: z.number(),
  /** For how many milliseconds from when on, and the end of that: by the uptime of a boot, and by wall time. Left out: until somebody ends it. */
  until: z.object({ for: z.number(), boot: z.string(), uptime: z.number(), wall: z.number() }).exactOptional(),
})
const kept = z.array(pause)

/** Somebody does not want clinks to be taken: of one route, or at all. */
export type Pause = Frozen<z.output<typeof pause>>

/** The facts that hold the pauses of the state directory, and those of its fleet as it has seen them last. */
export const PAUSES = { own: 'pauses', fleet: 'pauses of the fleet' } as const

/** @param text of such a fact. */
export function pausesIn(text: string | undefined): readonly Pause[] {
  const { data } = kept.safeParse(text === undefined ? [] : tryTo((): unknown => JSON.parse(text)))
  return data ?? []
}

/** Pauses that a state directory remembers: over restarts, until somebody ends them or their time is over. */
export class KeptPauses {
  readonly #process: Pick<ProcessLedger, 'fact' | 'note'>
  readonly #fact: string

  constructor(process: Pick<ProcessLedger, 'fact' | 'note'>, fact: string) {
    this.#process = process
    this.#fact = fact
  }

  all(): readonly Pause[] {
    return pausesIn(this.#process.fact(this.#fact))
  }

  of(route: string | undefined): Pause | undefined {
    return this.all().find((one) => one.route === route)
  }

  /** In place of an earlier one of the same route. */
  async set(pause: Pause): Promise<void> {
    await this.replace([...this.#without(pause.route), pause])
  }

  /** @param route undefined: the pause of everything. */
  async end(route: string | undefined): Promise<void> {
    if (this.of(route) !== undefined) await this.replace(this.#without(route))
  }

  /** These, and no others. */
  async replace(pauses: readonly Pause[]): Promise<void> {
    await this.#process.note({ [this.#fact]: JSON.stringify(pauses) })
  }

  #without(route: string | undefined): readonly Pause[] {
    return this.all().filter((one) => one.route !== route)
  }
}

/** When a pause that is asked for now is over, for whoever looks in another process. */
export function endOf(lasts: number, boot: Boot, wall: number): NonNullable<Pause['until']> {
  return { for: lasts, boot: boot.id, uptime: boot.uptime() + lasts, wall: wall + lasts }
}

/** Milliseconds that are left of a pause; undefined: it has no end. No clock that was set makes it longer than it was asked for. */
export function leftOf({ until }: Pick<Pause, 'until'>, boot: Boot, wall: number): number | undefined {
  if (until === undefined) return undefined
  const left = until.boot === boot.id ? until.uptime - boot.uptime() : until.wall - wall
  return Math.min(left, until.for)
}
