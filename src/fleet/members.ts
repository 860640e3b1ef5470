import { z } from 'zod'
import { tryTo } from '../base/try-to.ts'
import type { MemberSigns } from '../ledger/fleet.ts'

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

/** A worker that was there within the last day and did not leave. */
export interface Member {
  readonly member: string
  /** The machine's. */
  readonly name: string
  readonly version: string
  /** When it showed itself last, by the store's clock: wall time in milliseconds. */
  readonly seen: number
  /** Milliseconds since then. */
  readonly age: number
  /** It has not shown itself for long. */
  readonly isSilent: boolean
  /** Null: it says nothing of itself, or nothing that this version reads. */
  readonly signs: MemberSigns | null
}

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
