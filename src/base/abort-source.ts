/** An `AbortController` that is made when somebody asks for its signal: most runs and claims end without one, and it is dear to make. */
export class AbortSource {
  #controller: AbortController | undefined
  #isAborted = false
  #reason: Error | undefined

  /** @param reason the first one counts. Left out, an error with its stack is made each time: where aborts are many, give one that exists. */
  abort(reason?: Error): void {
    if (this.#isAborted) return
    this.#isAborted = true
    this.#reason = reason
    this.#controller?.abort(reason)
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isAborted) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }
}
