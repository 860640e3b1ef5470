import type { Clink } from '../../clink/records.ts'
import type { Memory } from '../../ledger/memory.ts'
import type { WorkerKey } from '../../keys/keys.ts'

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

/** What is listed and waits to be claimed, in the order of the list. */
export class Backlog extends Map<string, Candidate> {
  get candidates(): readonly Candidate[] {
    return [...this.values()]
  }

  add(candidate: Candidate): void {
    this.set(candidate.clink.clink_id, candidate)
  }

  /** It is the next to be claimed. */
  putBack(candidate: Candidate): void {
    const { candidates } = this
    this.clear()
    this.add(candidate)
    for (const one of candidates) this.add(one)
  }
}
