/** Sets after which a place is given up that no set has needed. */
const UNUSED = 64

/** A map that remembers so many entries at most and forgets the oldest first. */
export class Recent<Value> extends Map<string, Value> {
  readonly #capacity: number
  /**
   * Behind it is only what was forgotten: to look for the oldest from the beginning would pass all that was, each time. Where it does not
   * go on, V8 keeps each table for it that the map has had since, so it is given up.
   */
  #oldest: Iterator<string> | undefined
  #unused = 0

  constructor(capacity: number) {
    super()
    this.#capacity = capacity
  }

  override set(key: string, value: Value): this {
    this.delete(key)
    super.set(key, value)
    if (this.size > this.#capacity) {
      this.#unused = 0
      this.#oldest ??= this.keys()
      this.delete(this.#oldest.next().value ?? key)
    } else if (this.#oldest !== undefined) {
      this.#unused += 1
      if (this.#unused > UNUSED) this.#oldest = undefined
    }
    return this
  }
}
