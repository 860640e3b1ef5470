import type { Boot } from '../../base/boot.ts'
import { humanDuration } from '../../base/duration.ts'
import { shellWord } from '../../base/shell-word.ts'
import type { Router } from '../../handlers/route.ts'
import type { FleetPause } from '../../ledger/fleet.ts'
import { endOf, leftOf, type Pause } from '../../ledger/pauses.ts'
import type { WorkerContext } from '../context.ts'
import { StandingPauses, type LeftOfPause } from './standing-pauses.ts'

export interface PausesContext extends Pick<WorkerContext, 'clock' | 'emit' | 'ledger' | 'signals' | 'stopping'> {
  readonly boot: Boot
  readonly router: Pick<Router, 'routes'>
}

/** What somebody wants: of one route, or of all. */
export interface Wish {
  readonly route?: string | undefined
  readonly by: string
  readonly note?: string | undefined
}

/** For whoever looks. */
type Shown = LeftOfPause & { readonly isFleet: boolean }

/** Milliseconds. An end that is read anew is the same within them. */
const SAME_END = 1_000

/**
 * What operators do not want to be taken: of one route, or at all; by this worker, or by all of its fleet. Nothing is claimed for that, and what a
 * claim on its way brings is not started. What is in hand goes on to its end: its claim would only keep it from others.
 *
 * In this process a pause lasts by the steady clock; after a restart by the uptime of the boot, and over another start of the machine by
 * wall time. No clock that was set makes it longer than it was asked for. One of the fleet lasts by the clock of its store, whenever that is read.
 */
export class Pauses {
  readonly #context: PausesContext
  readonly #own: StandingPauses
  readonly #fleet: StandingPauses
  /** Routes that are not there, and of whose pauses that was said. */
  readonly #lost = new Set<string | undefined>()
  #drain: (Wish & { readonly at: number }) | undefined

  constructor(context: PausesContext) {
    this.#context = context
    this.#own = new StandingPauses(context.clock)
    this.#fleet = new StandingPauses(context.clock)
  }

  /** Goes on with what an earlier process, or a command since then, has left; and from now on with what the fleet says. */
  async restore(): Promise<void> {
    const { emit, ledger } = this.#context
    this.#own.over.on((pause) => void this.#over(pause))
    for (const pause of ledger.pauses.all()) {
      const left = this.#leftOf(pause)
      if (left !== undefined && left <= 0) {
        await this.#over(pause)
        continue
      }
      this.#own.stand(pause, left)
      const advice = this.#adviceOn(pause)
      emit({ event: 'worker.stillPaused', ...about(pause, left), ...(advice !== undefined && { advice }) })
    }
    await this.#restoreFleet()
  }

  /** Other routes are in use: of a pause whose route is gone somebody has to know. */
  rerouted(): void {
    const said = new Set(this.#lost)
    this.#lost.clear()
    for (const { left, ...pause } of this.#own.list) {
      const advice = this.#adviceOn(pause)
      if (advice === undefined || said.has(pause.route)) continue
      this.#context.emit({ event: 'worker.stillPaused', ...about(pause, left), advice })
    }
  }

  /** On a pause whose route is not there; undefined: it is. */
  #adviceOn({ route }: Pause): string | undefined {
    if (route === undefined || this.#context.router.routes.some(({ name }) => name === route)) return undefined
    this.#lost.add(route)
    const command = `clink-worker resume --route ${shellWord(route)}`
    return `there is no such route, so that nothing is held back: \`${command}\` ends this pause; what takes its clinks now has to be paused by its own name`
  }

  /** Nothing is taken at all. */
  get isWhole(): boolean {
    return this.#drain !== undefined || this.#stands(undefined)
  }

  get isDraining(): boolean {
    return this.#drain !== undefined
  }

  get areAny(): boolean {
    return this.#drain !== undefined || this.#own.size + this.#fleet.size > 0
  }

  /** No clink of the route is taken. */
  holds({ name }: { readonly name: string }): boolean {
    return this.isWhole || this.#stands(name)
  }

  /** For whoever looks: those of routes, the one of everything, and what is left of each in milliseconds. */
  get list(): readonly Shown[] {
    return [
      ...this.#own.list.map((one) => ({ ...one, isFleet: false })),
      ...this.#fleet.list.map((one) => ({ ...one, isFleet: true })),
    ]
  }

  get draining(): (Wish & { readonly at: number }) | undefined {
    return this.#drain
  }

  /** Why nothing is taken at all, for people; undefined: something is. */
  why(routes: readonly { readonly name: string }[]): string | undefined {
    const drained = this.#drain === undefined ? [] : said('it is drained', this.#drain)
    const all = [drained, this.#whyPaused(routes)].flat()
    return all.length === 0 ? undefined : all.join('; ')
  }

  #whyPaused(routes: readonly { readonly name: string }[]): string[] {
    const { list } = this
    const whole = list.filter(({ route }) => route === undefined)
    if (whole.length > 0) return whole.map((one) => said(one.isFleet ? 'its fleet is paused' : 'it is paused', one))
    if (routes.length === 0 || !routes.every(({ name }) => this.#stands(name))) return []
    const each = list
      .filter(({ route }) => routes.some(({ name }) => name === route))
      .map((one) => said(one.isFleet ? `${one.route} in the fleet` : (one.route ?? ''), one))
    return [`all its routes are paused: ${each.join('; ')}`]
  }

  /** From this turn on. Resolves when the next process would know of it. @param lasts milliseconds; undefined: until it is resumed. */
  async pause({ by, note, route }: Wish, lasts: number | undefined): Promise<void> {
    const { boot, clock, ledger } = this.#context
    const until = lasts === undefined ? {} : { until: endOf(lasts, boot, clock.wall()) }
    const of = { ...(route !== undefined && { route }), ...(note !== undefined && { note }) }
    const pause = { ...of, by, at: clock.wall(), ...until }
    this.#own.stand(pause, lasts)
    await ledger.pauses.set(pause)
  }

  /** From now on nothing is taken, until it is resumed or the process ends. */
  drain(wish: Wish): void {
    this.#drain ??= { ...wish, at: this.#context.clock.wall() }
  }

  /** What the fleet has paused stays so. @param route undefined: what holds back everything, a drain as well. @returns whether something was paused. */
  async resume(route: string | undefined): Promise<boolean> {
    const { ledger } = this.#context
    const was = this.#own.has(route) || (route === undefined && this.isDraining)
    if (route === undefined) this.#drain = undefined
    this.#own.end(route)
    this.#goOn()
    await ledger.pauses.end(route)
    return was
  }

  #stands(route: string | undefined): boolean {
    return this.#own.has(route) || this.#fleet.has(route)
  }

  /** Its time is over. */
  async #over(pause: Pause): Promise<void> {
    const { emit, ledger } = this.#context
    const { by, route } = pause
    emit({ event: 'worker.pauseOver', ...(route !== undefined && { route }), by })
    this.#own.end(route)
    this.#goOn()
    await ledger.pauses.end(route)
  }

  /** Until its fleet can be asked, what an earlier process has seen counts. */
  async #restoreFleet(): Promise<void> {
    const { boot, clock, emit, ledger, stopping } = this.#context
    if (ledger.fleetPauses === undefined) return
    const { kept, seen } = ledger.fleetPauses
    this.#fleet.over.on(({ route }) => {
      this.#endOfFleet(route)
      void this.#keepFleet()
    })
    seen.read.on(() => {
      if (!stopping.aborted) void this.#takeFleet(seen.list() ?? [])
    })
    const list = seen.list()
    if (list !== undefined) return await this.#takeFleet(list)
    for (const pause of kept.all()) {
      const left = leftOf(pause, boot, clock.wall())
      if (left !== undefined && left <= 0) continue
      this.#fleet.stand(pause, left)
      emit({ event: 'fleet.paused', ...about(pause, left) })
    }
  }

  /** What the fleet has paused now. All of it in this turn. */
  async #takeFleet(all: readonly FleetPause[]): Promise<void> {
    const { boot, clock, emit } = this.#context
    const before = this.#fleet.list
    const changed: FleetPause[] = []
    for (const pause of all) {
      const same = before.find(({ at, route }) => route === pause.route && at === pause.at)
      if (same !== undefined && !(Math.abs((same.left ?? Infinity) - (pause.left ?? Infinity)) > SAME_END)) continue
      const { left, ...of } = pause
      this.#fleet.stand({ ...of, ...(left !== undefined && { until: endOf(left, boot, clock.wall()) }) }, left)
      changed.push(pause)
      if (same === undefined) emit({ event: 'fleet.paused', ...about(pause, left) })
    }
    const gone = before.filter((one) => all.every(({ route }) => route !== one.route))
    for (const { route } of gone) this.#endOfFleet(route)
    if (changed.length + gone.length > 0) await this.#keepFleet()
  }

  #endOfFleet(route: string | undefined): void {
    this.#fleet.end(route)
    this.#context.emit({ event: 'fleet.resumed', ...(route !== undefined && { route }) })
    this.#goOn()
  }

  async #keepFleet(): Promise<void> {
    await this.#context.ledger.fleetPauses?.kept.replace(this.#fleet.pauses)
  }

  #goOn(): void {
    const { freed, unpaused } = this.#context.signals
    unpaused.say()
    freed.say()
  }

  #leftOf(pause: Pause): number | undefined {
    return leftOf(pause, this.#context.boot, this.#context.clock.wall())
  }
}

function about({ by, note, route }: Wish, left: number | undefined) {
  const of = { ...(route !== undefined && { route }), by }
  return { ...of, ...(note !== undefined && { note }), ...(left !== undefined && { left }) }
}

function said(what: string, { by, left, note }: Pick<Wish, 'by' | 'note'> & { readonly left?: number | undefined }) {
  const until = left === undefined ? '' : `, for ${humanDuration(left)} more`
  return `${what} (by ${by}${until}${note === undefined ? '' : `: ${note}`})`
}
