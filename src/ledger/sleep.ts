import { z } from 'zod'
import { tryTo } from '../base/try-to.ts'

const schema = z.object({ at: z.number(), for: z.number() })

/** Until when a sleep waits: wall time, and for how long that was noted, both in milliseconds. It is kept as the value of its step. */
export type Sleep = Readonly<z.infer<typeof schema>>

/** Undefined: it is none. */
export function readSleep(value: string): Sleep | undefined {
  return schema.safeParse(tryTo((): unknown => JSON.parse(value))).data
}

export function writeSleep(sleep: Sleep): string {
  return JSON.stringify(sleep)
}
