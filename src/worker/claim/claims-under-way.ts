/**
 * Requests that claim or renew and are on their way, by their clinks: a release that overtakes one, also of an earlier claim, would be undone by it.
 */
export class ClaimsUnderWay {
  readonly #requests = new Map<string, Set<Promise<void>>>()

  note(clinkId: string, request: Promise<void>): void {
    const requests = this.#requests.get(clinkId) ?? new Set()
    this.#requests.set(clinkId, requests.add(request))
    void request.finally(() => {
      requests.delete(request)
      if (requests.size === 0) this.#requests.delete(clinkId)
    })
  }

  /** Resolves when those that are on their way now are over. */
  async over(clinkId: string): Promise<void> {
    const requests = this.#requests.get(clinkId)
    if (requests !== undefined) await Promise.all(requests)
  }
}
