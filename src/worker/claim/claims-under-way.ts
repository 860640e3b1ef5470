interface Request {
  readonly clinkId: string
  readonly over: Promise<void>
}

/**
 * Requests that claim or renew and are on their way: a release that overtakes one of its clink, also of an earlier claim, would be undone by it.
 */
export class ClaimsUnderWay {
  readonly #requests = new Set<Request>()

  note(clinkId: string, over: Promise<void>): void {
    const request = { clinkId, over }
    this.#requests.add(request)
    void over.finally(() => this.#requests.delete(request))
  }

  /** Resolves when those that are on their way now are over. */
  async over(clinkId: string): Promise<void> {
    const requests = [...this.#requests].filter((request) => request.clinkId === clinkId)
    await Promise.all(requests.map((request) => request.over))
  }
}
