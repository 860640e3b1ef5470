/**
 * What is there now, by its id, in the order in which it came. As a `Map`, but what has left it is kept alive by nothing here: a map that has
 * outgrown its table leaves that one pointing to the next, and all that stood in a former table counts as alive until the whole heap is
 * collected. With every clink's objects in some such table, a sixth of all garbage became old before it was found.
 */
export class Present<Key, Value> {
  readonly #places = new Map<Key, { value: Value | undefined }>()

  get size(): number {
    return this.#places.size
  }

  has(key: Key): boolean {
    return this.#places.has(key)
  }

  get(key: Key): Value | undefined {
    return this.#places.get(key)?.value
  }

  set(key: Key, value: Value): void {
    const place = this.#places.get(key)
    if (place === undefined) this.#places.set(key, { value })
    else place.value = value
  }

  delete(key: Key): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    place.value = undefined
    this.#places.delete(key)
  }

  *values(): Iterable<Value> {
    for (const { value } of this.#places.values()) if (value !== undefined) yield value
  }

  *entries(): Iterable<readonly [Key, Value]> {
    for (const [key, { value }] of this.#places) if (value !== undefined) yield [key, value]
  }
}

/** The same of what has no id. */
export class Crowd<Value> {
  readonly #all = new Present<number, Value>()
  #last = 0

  /** @returns to be called when it leaves. */
  add(value: Value): () => void {
    const number = (this.#last += 1)
    this.#all.set(number, value)
    return () => this.#all.delete(number)
  }

  [Symbol.iterator](): Iterator<Value> {
    return this.#all.values()[Symbol.iterator]()
  }
}
