import { z } from 'zod'

/** Whether the worker is alive, or ready, and why not, for people. */
export const health = z.object({ ok: z.boolean(), reasons: z.array(z.string()).readonly() })
export type Health = z.output<typeof health>
