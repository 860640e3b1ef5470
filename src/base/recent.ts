/** A map that remembers so many entries at most and forgets the oldest first. */
export class Recent<Value> extends Map<string, Value> {
  readonly #capacity: number
  /** Behind it is only what was forgotten: to look for the oldest from the beginning would pass all that was, each time. */
  readonly #oldest: Iterator<string> = this.keys()

  constructor(capacity: number) {
    super()
    this.#capacity = capacity
  }

  override set(key: string, value: Value): this {
    this.delete(key)
    super.set(key, value)
    if (this.size > this.#capacity) this.delete(this.#oldest.next().value ?? key)
    return this
  }
}
