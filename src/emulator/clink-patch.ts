import { z } from 'zod'
import { checkedValue } from './checked-file.ts'
import type { StoredClink } from './store/clink-store.ts'

const claim = z.strictObject({
  by: z.string(),
  key: z.string(),
  session: z.string(),
  at: z.number(),
  expires: z.number(),
})

const patch = z.strictObject({
  created: z.number().exactOptional(),
  group_id: z.string().exactOptional(),
  sender_id: z.string().exactOptional(),
  sender_name: z.string().exactOptional(),
  content: z.string().exactOptional(),
  status: z.enum(['pending', 'claimed', 'completed']).exactOptional(),
  for: z.string().exactOptional(),
  claim: claim.exactOptional(),
  lapsed: claim.exactOptional(),
})

/** What a request may change of a stored clink; throws a CodedError that names what does not fit. */
export function checkedPatch(value: unknown): Partial<StoredClink> {
  return checkedValue(value, 'clink', patch)
}
