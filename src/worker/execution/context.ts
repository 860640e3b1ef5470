import type { Boot } from '../../base/boot.ts'
import type { ProcessGroups } from '../../runners/process-group.ts'
import type { Runner } from '../../runners/runner.ts'
import type { CircuitBreaker } from '../capacity/circuit-breaker.ts'
import type { ReplyContext } from '../replies/context.ts'
import type { CrashWatch } from './crash-watch.ts'
import type { RunRegister } from './run-register.ts'

/** What starting a handler takes. */
export interface ExecutionContext extends ReplyContext {
  readonly boot: Boot
  readonly crashWatch: CrashWatch
  readonly groups: ProcessGroups
  readonly runner: Runner
}

/** What all starts of one worker have in common. */
export interface ExecutionParts {
  readonly context: ExecutionContext
  readonly health: CircuitBreaker
  readonly runs: RunRegister
}
