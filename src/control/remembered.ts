import { z } from 'zod'
import type { Ledger } from '../ledger/ledger.ts'

/** What decides whether a clink is run, whatever its route. */
const rememberedClink = z.object({
  id: z.string(),
  isGivenUp: z.boolean(),
  isOwn: z.boolean(),
  /** Milliseconds for which it is left alone. */
  coolsFor: z.number(),
})
export type RememberedClink = z.output<typeof rememberedClink>

export const rememberedClinks = z.object({ rows: z.array(rememberedClink).readonly() })

export async function rememberedOf(ids: readonly string[], ledger: Ledger): Promise<z.output<typeof rememberedClinks>> {
  const memories = await ledger.recall(ids)
  const rows = ids.map((id) => {
    const { coolsFor, isGivenUp, isOwn } = memories(id)
    return { id, isGivenUp, isOwn, coolsFor }
  })
  return { rows }
}
