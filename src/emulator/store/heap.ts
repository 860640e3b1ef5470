/** Things by their due time, soonest first. */
export class Heap<T> {
  readonly #items: { readonly due: number; readonly item: T }[] = []

  push(due: number, item: T): void {
    const items = this.#items
    items.push({ due, item })
    let at = items.length - 1
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (!this.#swapIfSooner(at, parent)) break
      at = parent
    }
  }

  /** Takes the soonest one out if it is due at `now`. */
  popDue(now: number): T | undefined {
    const items = this.#items
    const first = items[0]
    if (first === undefined || first.due > now) return undefined
    const last = items.pop()
    if (last !== undefined && items.length > 0) {
      items[0] = last
      this.#sink()
    }
    return first.item
  }

  #sink(): void {
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      const right = left + 1
      const sooner = (this.#items[right]?.due ?? Infinity) < (this.#items[left]?.due ?? Infinity) ? right : left
      if (!this.#swapIfSooner(sooner, at)) return
      at = sooner
    }
  }

  #swapIfSooner(child: number, parent: number): boolean {
    const a = this.#items[child]
    const b = this.#items[parent]
    if (a === undefined || b === undefined || a.due >= b.due) return false
    this.#items[child] = b
    this.#items[parent] = a
    return true
  }
}
