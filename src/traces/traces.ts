import { hasTelemetry } from '../base/telemetry.ts'
import type { RequestWatch } from '../clink/client.ts'
import type { Emit } from '../events.ts'
import type { Runner } from '../runners/runner.ts'

/** What a worker tells OpenTelemetry. */
export interface Traces {
  /** To be told of every fact. */
  readonly note: Emit
  /** To be told of every request to the service. */
  readonly request: RequestWatch
  /** The same runner, whose runs have spans: each is the active one for the code that it runs. */
  readonly around: (runner: Runner) => Runner
  /** Ends what is open, and waits until the SDK has exported it, but not for long. */
  stop(): Promise<void>
}

/**
 * Undefined where nobody has registered an SDK: then nothing is loaded, and nothing of it runs.
 *
 * @param url where the service is.
 */
export async function openTraces(url: string): Promise<Traces | undefined> {
  if (!hasTelemetry()) return undefined
  const { Tracing } = await import('./tracing.ts')
  return new Tracing(url)
}
