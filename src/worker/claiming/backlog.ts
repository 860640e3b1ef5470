import type { Clink } from '../../clink/records.ts'
import type { WorkerKey } from '../../keys/keys.ts'

/** A clink that was listed as pending. */
export interface Candidate {
  readonly clink: Clink
  /** Local time when the list was asked for that shows it as pending. */
  readonly listedAt: number
  /** The key that listed it: to another owner the service shows other clinks. */
  readonly key: WorkerKey
}

/** What is listed and waits to be claimed, in the order of the list. */
export class Backlog {
  #all = new Map<string, Candidate>()

  get size(): number {
    return this.#all.size
  }

  get candidates(): readonly Candidate[] {
    return [...this.#all.values()]
  }

  add(candidate: Candidate): void {
    this.#all.set(candidate.clink.clink_id, candidate)
  }

  /** It is the next to be claimed. */
  putBack(candidate: Candidate): void {
    this.#all = new Map([[candidate.clink.clink_id, candidate], ...this.#all])
  }

  delete(clinkId: string): void {
    this.#all.delete(clinkId)
  }

  clear(): void {
    this.#all.clear()
  }
}
