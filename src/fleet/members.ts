import { z } from 'zod'
import { Signal } from '../base/signal.ts'
import { tryTo } from '../base/try-to.ts'
import { memberName, type Member, type MemberSigns } from '../ledger/fleet.ts'

/** A later version may say more. */
const memberSigns: z.ZodType<MemberSigns> = z.object({
  pid: z.number(),
  isReady: z.boolean(),
  reasons: z.array(z.string()),
  inHand: z.number(),
  taken: z.number(),
  slots: z.number(),
  routes: z.array(z.object({ name: z.string(), waits: z.array(z.string()) })),
})

/** Milliseconds between two moments at which a member shows that it is there. */
export const BEAT = 5_000
/** Milliseconds: a few of them. */
const SILENT = 20_000

/** A row of the store. @param age milliseconds since it was written. */
export function memberOf(
  row: { readonly member: string; readonly name: string; readonly version: string; readonly shows: string | null },
  seen: number,
  age: number,
): Member {
  const { member, name, version, shows } = row
  const signs = memberSigns.safeParse(shows === null ? null : tryTo((): unknown => JSON.parse(shows))).data ?? null
  return { member, name, version, seen, age, isSilent: age > SILENT, signs }
}

/** Members of one machine have its name, each with the beginning of its own mark, which stays the same over restarts. */
export function withNamesOfTheirOwn(members: readonly Member[]): readonly Member[] {
  const byName = Map.groupBy(members, ({ name }) => name)
  return members.map((one) => {
    const isAlone = byName.get(one.name)?.length === 1
    return isAlone ? one : { ...one, name: memberName(one.name, one.member) }
  })
}

/**
 * Says that another member has left, or is silent: what it had claimed comes back to the inbox, and is nothing new there. `ago`: milliseconds for which
 * it has surely made no claim longer.
 */
export class Departures extends Signal<[ago: number]> {
  /** By members' marks: whether each was silent. */
  #known: ReadonlyMap<string, boolean> = new Map()

  /** @param ages of the other members that have not left: milliseconds since each showed itself. */
  take(ages: ReadonlyMap<string, number>): void {
    const before = this.#known
    this.#known = new Map([...ages].map(([member, age]) => [member, age > SILENT]))
    for (const [member, wasSilent] of before) if (!wasSilent && !ages.has(member)) this.say(0)
    for (const [member, age] of ages) if (age > SILENT && before.get(member) !== true) this.say(age - BEAT)
  }
}
