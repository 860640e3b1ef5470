import { z } from 'zod'
import type { Daemon } from '../daemon/daemon.ts'

const healthRequest = z.object({ request: z.enum(['health.live', 'health.ready']) })

/** What can be asked about the health of the worker that runs. */
export type HealthRequest = z.infer<typeof healthRequest>

export interface Health {
  readonly ok: boolean
  readonly reasons: readonly string[]
}

/** Undefined: the request is about something else. */
export async function answerHealth(
  request: unknown,
  daemon: Pick<Daemon, 'settledLiveness' | 'readiness'>,
): Promise<Health | undefined> {
  const { data } = healthRequest.safeParse(request)
  if (data === undefined) return undefined
  if (data.request === 'health.live') {
    const { alive, reasons } = await daemon.settledLiveness()
    return { ok: alive, reasons }
  }
  const { ready, reasons } = daemon.readiness()
  return { ok: ready, reasons }
}
