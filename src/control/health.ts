import { z } from 'zod'
import type { Liveness } from '../worker/liveness/liveness.ts'
import type { Readiness } from '../worker/liveness/readiness.ts'

const healthRequest = z.object({ request: z.enum(['health.live', 'health.ready']) })

/** What can be asked about the health of the worker that runs. */
export type HealthRequest = z.infer<typeof healthRequest>

/** Who can tell. */
export interface Examined {
  settledLiveness(): Promise<Liveness>
  readiness(): Readiness
}

export interface Health {
  readonly ok: boolean
  readonly reasons: readonly string[]
}

/** Undefined: the request is about something else. */
export async function answerHealth(request: unknown, daemon: Examined): Promise<Health | undefined> {
  const { data } = healthRequest.safeParse(request)
  if (data === undefined) return undefined
  if (data.request === 'health.live') {
    const { alive, reasons } = await daemon.settledLiveness()
    return { ok: alive, reasons }
  }
  const { ready, reasons } = daemon.readiness()
  return { ok: ready, reasons }
}
