import { z } from 'zod'
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

/** Milliseconds: a few of its beats. */
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
