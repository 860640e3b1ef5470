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

const FACT = 'pauses'

/** The pauses of one state directory: over restarts, until somebody ends them or their time is over. */
export class KeptPauses {
  readonly #process: Pick<ProcessLedger, 'fact' | 'note'>

  constructor(process: Pick<ProcessLedger, 'fact' | 'note'>) {
    this.#process = process
  }

  all(): readonly Pause[] {
    const text = this.#process.fact(FACT)
    const { data } = kept.safeParse(text === undefined ? [] : tryTo((): unknown => JSON.parse(text)))
    return data ?? []
  }

  of(route: string | undefined): Pause | undefined {
    return this.all().find((one) => one.route === route)
  }

  /** In place of an earlier one of the same route. */
  async set(pause: Pause): Promise<void> {
    await this.#note([...this.#without(pause.route), pause])
  }

  /** @param route undefined: the pause of everything. */
  async end(route: string | undefined): Promise<void> {
    if (this.of(route) !== undefined) await this.#note(this.#without(route))
  }

  #without(route: string | undefined): readonly Pause[] {
    return this.all().filter((one) => one.route !== route)
  }

  async #note(pauses: readonly Pause[]): Promise<void> {
    await this.#process.note({ [FACT]: JSON.stringify(pauses) })
  }
}

/** When a pause that is asked for now is over, for whoever looks in another process. */
export function endOf(lasts: number, boot: Boot, wall: number): NonNullable<Pause['until']> {
  return { for: lasts, boot: boot.id, uptime: boot.uptime() + lasts, wall: wall + lasts }
}
