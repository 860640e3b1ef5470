import type { Identity } from '../../keys/identity.ts'
import type { Warmth } from '../capacity/warmth.ts'
import type { WorkerContext } from '../context.ts'
import type { AgentProfiles } from './agent-profiles.ts'
import type { LoopGuard } from './loop-guard.ts'

/** What sending takes: who we are, who is an agent, and who hears that somebody was answered. */
export interface ReplyContext extends WorkerContext {
  readonly identity: Identity
  readonly agentProfiles: AgentProfiles
  readonly loopGuard: LoopGuard
  readonly warmth: Warmth
}
