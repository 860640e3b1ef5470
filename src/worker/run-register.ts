/** Which clinks have handler code running, whatever became of their claims: a clink never runs twice at once. */
export class RunRegister {
  readonly #runs = new Map<string, Promise<unknown>>()

  async track<Result>(clinkId: string, run: Promise<Result>): Promise<Result> {
    this.#runs.set(clinkId, run)
    try {
      return await run
    } finally {
      this.#runs.delete(clinkId)
    }
  }

  /** Resolves when no code runs for the clink. */
  async idle(clinkId: string): Promise<void> {
    await this.#runs.get(clinkId)
  }
}
