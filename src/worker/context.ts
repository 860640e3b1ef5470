import type { Random } from '../base/backoff.ts'
import type { Boot } from '../base/boot.ts'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../config/config.ts'
import type { Emit } from '../events.ts'
import type { Router } from '../handlers/route.ts'
import type { ProcessGroups } from '../runners/process-group.ts'
import type { Runner } from '../runners/runner.ts'
import type { ClinkApi } from '../clink/clink-api.ts'
import type { Identity } from '../keys/identity.ts'
import type { Keys } from '../keys/keys.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { AgentProfiles } from './replies/agent-profiles.ts'
import type { RateLimit } from './capacity/rate-limit.ts'
import type { ClaimTerms } from './claim/terms.ts'
import type { CrashWatch } from './execution/crash-watch.ts'
import type { LoopGuard } from './replies/loop-guard.ts'
import type { NameWarnings } from './admission/name-warnings.ts'
import type { Pulses } from './liveness/pulses.ts'
import type { Scope } from './admission/scope.ts'
import type { ServiceTime } from './claim/service-time.ts'
import type { Siblings } from './claim/siblings.ts'
import type { Warmth } from './capacity/warmth.ts'

/** What the parts of the heart share. None of them owns any of it. */
export interface WorkerContext {
  readonly config: Config
  /** Asks with whichever key is current. What is asked about a claim is asked with its own: `WorkerKey.api`. */
  readonly api: ClinkApi
  readonly keys: Keys
  readonly clock: Clock
  readonly random: Random
  readonly emit: Emit
  readonly ledger: Ledger
  readonly boot: Boot
  readonly groups: ProcessGroups
  readonly crashWatch: CrashWatch
  readonly router: Router
  readonly runner: Runner
  readonly identity: Identity
  readonly agentProfiles: AgentProfiles
  readonly loopGuard: LoopGuard
  readonly rateLimit: RateLimit
  readonly warmth: Warmth
  readonly siblings: Siblings
  readonly nameWarnings: NameWarnings
  readonly terms: ClaimTerms
  readonly scope: Scope
  readonly serviceTime: ServiceTime
  readonly pulses: Pulses
  /** Aborts when the worker begins to stop: nobody waits for a better moment any more. */
  readonly stopping: AbortSignal
  /** Aborts when the time for stopping is over: nothing is tried any more. */
  readonly closing: AbortSignal
}
