import type { Boot } from '../../base/boot.ts'
import { after, steadyOf, type Cancel } from '../../base/clock.ts'
import { humanDuration } from '../../base/duration.ts'
import { endOf, type Pause } from '../../ledger/pauses.ts'
import type { WorkerContext } from '../context.ts'

export interface PausesContext extends Pick<WorkerContext, 'clock' | 'emit' | 'ledger' | 'signals'> {
  readonly boot: Boot
}

/** What somebody wants: of one route, or of all. */
export interface Wish {
  readonly route?: string | undefined
  readonly by: string
  readonly note?: string | undefined
}

/** A pause of this process. */
interface Standing {
  readonly pause: Pause
  /** By the steady clock; undefined: it has no end. */
  readonly endsAt: number | undefined
  readonly cancel: Cancel
}

/**
 * What operators do not want to be taken: of one route, or at all. Nothing is claimed for that, and what a claim on its way brings is not
 * started. What is in hand goes on to its end: its claim would only keep it from others.
 *
 * In this process a pause lasts by the steady clock; after a restart by the uptime of the boot, and over another start of the machine by
 * wall time. No clock that was set makes it longer than it was asked for.
 */
export class Pauses {
  readonly #context: PausesContext
  readonly #all = new Map<string | undefined, Standing>()
  #drain: (Wish & { readonly at: number }) | undefined

  constructor(context: PausesContext) {
    this.#context = context
  }

  /** Goes on with what an earlier process, or a command since then, has left. */
  async restore(): Promise<void> {
    const { emit, ledger } = this.#context
    for (const pause of ledger.pauses.all()) {
      const left = this.#leftOf(pause)
      const { by, note, route } = pause
      if (left !== undefined && left <= 0) {
        await this.#over(pause)
        continue
      }
      this.#stand(pause, left)
      emit({ event: 'worker.stillPaused', ...(route !== undefined && { route }), by, ...about({ left, note }) })
    }
  }

  /** Nothing is taken at all. */
  get isWhole(): boolean {
    return this.#drain !== undefined || this.#all.has(undefined)
  }

  get isDraining(): boolean {
    return this.#drain !== undefined
  }

  get areAny(): boolean {
    return this.#drain !== undefined || this.#all.size > 0
  }

  /** No clink of the route is taken. */
  holds({ name }: { readonly name: string }): boolean {
    return this.isWhole || this.#all.has(name)
  }

  /** For whoever looks: those of routes, the one of everything, and what is left of each in milliseconds. */
  get list(): readonly (Pause & { readonly left: number | undefined })[] {
    const now = steadyOf(this.#context.clock).now()
    return [...this.#all.values()].map(({ endsAt, pause }) => ({
      ...pause,
      left: endsAt === undefined ? undefined : Math.max(0, endsAt - now),
    }))
  }

  get draining(): (Wish & { readonly at: number }) | undefined {
    return this.#drain
  }

  /** Why nothing is taken at all, for people; undefined: something is. */
  why(routes: readonly { readonly name: string }[]): string | undefined {
    const drained = this.#drain === undefined ? [] : said('it is drained', this.#drain)
    const all = [drained, this.#whyPaused(routes) ?? []].flat()
    return all.length === 0 ? undefined : all.join('; ')
  }

  #whyPaused(routes: readonly { readonly name: string }[]): string | undefined {
    const whole = this.list.find(({ route }) => route === undefined)
    if (whole !== undefined) return said('it is paused', whole)
    if (routes.length === 0 || !routes.every(({ name }) => this.#all.has(name))) return undefined
    return `all its routes are paused: ${this.list.map((one) => said(one.route ?? '', one)).join('; ')}`
  }

  /** From this turn on. Resolves when the next process would know of it. @param lasts milliseconds; undefined: until it is resumed. */
  async pause({ by, note, route }: Wish, lasts: number | undefined): Promise<void> {
    const { boot, clock, ledger } = this.#context
    const until = lasts === undefined ? {} : { until: endOf(lasts, boot, clock.wall()) }
    const of = { ...(route !== undefined && { route }), ...(note !== undefined && { note }) }
    const pause = { ...of, by, at: clock.wall(), ...until }
    this.#stand(pause, lasts)
    await ledger.pauses.set(pause)
  }

  /** From now on nothing is taken, until it is resumed or the process ends. */
  drain(wish: Wish): void {
    this.#drain ??= { ...wish, at: this.#context.clock.wall() }
  }

  /** @param route undefined: what holds back everything, a drain as well. @returns whether something was paused. */
  async resume(route: string | undefined): Promise<boolean> {
    const { ledger } = this.#context
    const was = this.#all.has(route) || (route === undefined && this.isDraining)
    if (route === undefined) this.#drain = undefined
    this.#end(route)
    await ledger.pauses.end(route)
    return was
  }

  #stand(pause: Pause, left: number | undefined): void {
    const { clock } = this.#context
    this.#all.get(pause.route)?.cancel()
    const cancel = left === undefined ? () => {} : after(clock, left, () => void this.#over(pause))
    const endsAt = left === undefined ? undefined : steadyOf(clock).now() + left
    this.#all.set(pause.route, { pause, endsAt, cancel })
  }

  /** Its time is over. */
  async #over(pause: Pause): Promise<void> {
    const { emit, ledger } = this.#context
    const { by, route } = pause
    emit({ event: 'worker.pauseOver', ...(route !== undefined && { route }), by })
    this.#end(route)
    await ledger.pauses.end(route)
  }

  #end(route: string | undefined): void {
    const { freed, unpaused } = this.#context.signals
    this.#all.get(route)?.cancel()
    this.#all.delete(route)
    unpaused.say()
    freed.say()
  }

  /** Milliseconds; undefined: it has no end. */
  #leftOf({ until }: Pause): number | undefined {
    const { boot, clock } = this.#context
    if (until === undefined) return undefined
    const left = until.boot === boot.id ? until.uptime - boot.uptime() : until.wall - clock.wall()
    return Math.min(left, until.for)
  }
}

function about({ left, note }: { readonly left: number | undefined; readonly note: string | undefined }) {
  return { ...(note !== undefined && { note }), ...(left !== undefined && { left }) }
}

function said(what: string, { by, left, note }: Pick<Wish, 'by' | 'note'> & { readonly left?: number | undefined }) {
  const until = left === undefined ? '' : `, for ${humanDuration(left)} more`
  return `${what} (by ${by}${until}${note === undefined ? '' : `: ${note}`})`
}
