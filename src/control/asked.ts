import type { Ledger } from '../ledger/ledger.ts'
import type { Liveness } from '../worker/liveness/liveness.ts'
import type { Readiness } from '../worker/liveness/readiness.ts'

/** The worker that runs, as requests reach it. */
interface AskedWorker {
  settledLiveness(): Promise<Liveness>
  readiness(): Readiness
  /** The clink may be run again. */
  retried(id: string): void
}

/** Whom a request is put to: a worker, or what one has left. */
export interface Asked {
  readonly ledger: Ledger
  /** Undefined: none runs. */
  readonly worker: AskedWorker | undefined
}
