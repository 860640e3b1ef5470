import type { ClaimContext } from '../claim/context.ts'
import type { ReplyContext } from '../replies/context.ts'

/** What telling Clink takes: a claim to tell about, and words to send. */
export interface SettlementContext extends ClaimContext, ReplyContext {}
