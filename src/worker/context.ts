import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { ClinkClient } from '../clink/client.ts'
import type { Config } from '../config/config.ts'
import type { Emit } from '../events.ts'
import type { Router } from '../handlers/route.ts'
import type { Runner } from '../runners/runner.ts'
import type { Budget } from './budget.ts'
import type { Identity } from './identity.ts'
import type { Ledger } from './ledger.ts'
import type { LoopGuard } from './loop-guard.ts'

/** The operations of Clink that the heart itself uses. */
export type ClinkApi = Pick<
  ClinkClient,
  'checkInbox' | 'claimClink' | 'releaseClink' | 'completeClink' | 'getClinks' | 'sendClink'
>

/** What the parts of the heart share. None of them owns any of it. */
export interface WorkerContext {
  readonly config: Config
  readonly api: ClinkApi
  /** The client that handlers get: the same session; what it sends and claims is noted. */
  readonly handlerApi: ClinkClient
  readonly clock: Clock
  readonly random: Random
  readonly emit: Emit
  readonly ledger: Ledger
  readonly router: Router
  readonly runner: Runner
  readonly identity: Identity
  readonly loopGuard: LoopGuard
  readonly budget: Budget
  /** Aborts when the time for stopping is over: nothing is tried any more. */
  readonly closing: AbortSignal
}
