import type { WorkerKey } from '../../keys/keys.ts'
import type { Memory } from '../../ledger/memory.ts'
import type { Lease } from './lease.ts'

/** A claim of this process: until when it may be trusted, and the key that made it. */
export interface ClaimInHand {
  readonly lease: Lease
  readonly key: WorkerKey
  /** Of a claim of an earlier process: the fingerprint of the key that made it. */
  readonly madeWith?: string | undefined
}

/** One whose clink is worked. */
export interface WorkedClaim extends ClaimInHand {
  readonly memory: Memory
}
