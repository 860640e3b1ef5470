/** A map that remembers so many entries at most and forgets the oldest first. */
export class Recent<Value> extends Map<string, Value> {
  readonly #capacity: number

  constructor(capacity: number) {
    super()
    this.#capacity = capacity
  }

  override set(key: string, value: Value): this {
    this.delete(key)
    super.set(key, value)
    const [oldest] = this.keys()
    if (this.size > this.#capacity && oldest !== undefined) this.delete(oldest)
    return this
  }
}
