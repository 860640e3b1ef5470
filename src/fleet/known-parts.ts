import type { Clock } from '../base/clock.ts'
import { Recent } from '../base/recent.ts'
import type { ByOthers } from '../ledger/fleet.ts'
import { byOthers } from './by-others.ts'
import type { Recalled } from './store.ts'

/** Of so many clinks that are not worked here it is known what others did. */
const KNOWN = 10_000
/** Milliseconds after which another member may well have done something since. */
const OLD = 250

/** What was read last of what members have done with clinks. */
export class KnownParts {
  readonly #clock: Pick<Clock, 'now'>
  readonly #byOthers = new Recent<ByOthers | 'none'>(KNOWN)
  /** When that was read, in local time. */
  readonly #readAt = new Recent<number>(KNOWN)
  /** Of which the store had no part of this member, asked at that moment of the exchange. */
  readonly #withoutMine = new Recent<number>(KNOWN)

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  of(clinkId: string): ByOthers | 'none' | undefined {
    return this.#byOthers.get(clinkId)
  }

  /** Nothing is known, or what is was not read a moment ago. */
  isOld(clinkId: string): boolean {
    return this.#clock.now() - (this.#readAt.get(clinkId) ?? -Infinity) > OLD
  }

  /** The moment at which the store had no part of this member, by what was read last; undefined: it had one. */
  wasWithoutMine(clinkId: string): number | undefined {
    return this.#withoutMine.get(clinkId)
  }

  outdated(clinkId: string): void {
    this.#byOthers.delete(clinkId)
    this.#readAt.delete(clinkId)
  }

  /** What any member has done with it counts no more. */
  over(clinkId: string): void {
    this.#set(clinkId, 'none')
  }

  /** @param asked at which moment. @param wasOver whether what was read of it, asked then, counts no more. */
  read(ids: readonly string[], { mine, parts }: Recalled, asked: number, wasOver: (clinkId: string) => boolean): void {
    const [byClink, there] = [Map.groupBy(parts, ({ clink }) => clink), new Set(mine)]
    for (const id of ids) {
      this.#set(id, wasOver(id) ? 'none' : byOthers(byClink.get(id) ?? []))
      if (!there.has(id)) this.#withoutMine.set(id, asked)
    }
  }

  #set(clinkId: string, known: ByOthers | 'none'): void {
    this.#byOthers.set(clinkId, known)
    this.#readAt.set(clinkId, this.#clock.now())
  }
}
