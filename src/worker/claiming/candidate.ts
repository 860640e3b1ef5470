import type { Clink } from '../../clink/records.ts'
import type { WorkerKey } from '../../keys/keys.ts'
import type { Memory } from '../../ledger/memory.ts'

/** A clink that was listed as pending. */
export interface Candidate {
  readonly clink: Clink
  /** As it was when the clink was listed. */
  readonly memory: Memory
  /** Local time when the list was asked for that shows it as pending. */
  readonly listedAt: number
  /** The key that listed it: to another owner the service shows other clinks. */
  readonly key: WorkerKey
}
