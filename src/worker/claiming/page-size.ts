/** No service shows fewer at once: a shorter page is not cut. */
export const SMALLEST_CUT = 10

/** What is known of how many clinks a service shows at once, whatever it is asked for. One for all passes over its inbox. */
export class PageSize {
  #largest = 0
  #cut: number | undefined
  /** What the last page showed that went without a bound and was shorter than asked for, and as long as any. */
  #short: readonly string[] = []

  /** Pages have been longer, so nothing was cut from this one. */
  hasExceeded(length: number): boolean {
    return length < this.#largest
  }

  /** A page of this length is known not to be all. */
  isCut(length: number): boolean {
    return length === this.#cut
  }

  /** More came behind a page of this length, though more had been asked for. */
  cutsAt(length: number): void {
    this.#cut = length
  }

  /** @param isFull it was asked for without a bound. */
  note(ids: readonly string[], { isFull, limit }: { readonly isFull: boolean; readonly limit: number }): void {
    this.#largest = Math.max(this.#largest, ids.length)
    if (this.#cut !== undefined && ids.length > this.#cut) this.#cut = undefined
    if (!isFull || ids.length >= limit || ids.length < this.#largest) return
    // Two pages that show different clinks are of one length by chance only, or because that is all that a page shows.
    const isOther = ids.length === this.#short.length && ids.some((id) => !this.#short.includes(id))
    if (isOther && ids.length >= SMALLEST_CUT) this.#cut = ids.length
    this.#short = ids
  }
}
