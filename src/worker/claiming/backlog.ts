import type { Candidate } from './candidate.ts'
import type { HeldBack } from './held-back.ts'

/** What is listed and waits to be claimed, in the order of the list. */
export class Backlog extends Map<string, Candidate> {
  get candidates(): readonly Candidate[] {
    return [...this.values()]
  }

  readonly #heldBack: HeldBack

  constructor(heldBack: HeldBack) {
    super()
    this.#heldBack = heldBack
  }

  add(candidate: Candidate): void {
    if (!this.#heldBack.refresh(candidate)) this.set(candidate.clink.clink_id, candidate)
  }

  /** It is the next to be claimed. */
  putBack(candidate: Candidate): void {
    const { candidates } = this
    this.clear()
    this.add(candidate)
    for (const one of candidates) this.add(one)
  }
}
