/** Where a clink stands among others: by time of creation, then by arrival. */
export interface Place {
  readonly created: number
  readonly seq: number
  readonly clink_id: string
}

const CHUNK = 256

export const byPlace = (a: Place, b: Place): number => a.created - b.created || a.seq - b.seq

/** The first position in `list` that does not come before `place`. */
function position(list: readonly Place[], place: Place): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const there = list[middle]
    if (there !== undefined && byPlace(there, place) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Clinks in order. Kept in chunks, because clinks leave at the front and come back in the middle (a released claim) all the
 * time, and one long array would be moved as a whole each time.
 */
export class Shelf {
  readonly #chunks: Place[][] = []
  #size = 0

  get size(): number {
    return this.#size
  }

  add(place: Place): void {
    this.#size += 1
    const index = this.#chunkFor(place)
    const chunk = this.#chunks[index]
    if (chunk === undefined) {
      this.#chunks.push([place])
      return
    }
    chunk.splice(position(chunk, place), 0, place)
    if (chunk.length > CHUNK * 2) this.#chunks.splice(index + 1, 0, chunk.splice(CHUNK))
  }

  remove(place: Place): void {
    const index = this.#chunkFor(place)
    const chunk = this.#chunks[index]
    const at = chunk === undefined ? -1 : position(chunk, place)
    if (chunk === undefined || chunk[at]?.clink_id !== place.clink_id) return
    chunk.splice(at, 1)
    this.#size -= 1
    if (chunk.length === 0) this.#chunks.splice(index, 1)
  }

  /** How many were created before `time`. */
  countBefore(time: number): number {
    const place = { created: time, seq: -1, clink_id: '' }
    const index = this.#chunkFor(place)
    let count = 0
    for (const chunk of this.#chunks.slice(0, index)) count += chunk.length
    return count + position(this.#chunks[index] ?? [], place)
  }

  at(index: number): Place | undefined {
    let left = index
    for (const chunk of this.#chunks) {
      if (left < chunk.length) return chunk[left]
      left -= chunk.length
    }
    return undefined
  }

  /** Oldest first, from those created at `time` on. */
  *from(time: number): Generator<Place> {
    const place = { created: time, seq: -1, clink_id: '' }
    const first = this.#chunkFor(place)
    for (let index = first; index < this.#chunks.length; index += 1) {
      const chunk = this.#chunks[index] ?? []
      for (let at = index === first ? position(chunk, place) : 0; at < chunk.length; at += 1) {
        const there = chunk[at]
        if (there !== undefined) yield there
      }
    }
  }

  /** Newest first, down to those created at `time`. */
  *backTo(time: number): Generator<Place> {
    for (let index = this.#chunks.length - 1; index >= 0; index -= 1) {
      const chunk = this.#chunks[index] ?? []
      for (let at = chunk.length - 1; at >= 0; at -= 1) {
        const there = chunk[at]
        if (there === undefined || there.created < time) return
        yield there
      }
    }
  }

  /** The last chunk that starts before `place`, or the first one. */
  #chunkFor(place: Place): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const first = this.#chunks[middle]?.[0]
      if (first !== undefined && byPlace(first, place) <= 0) low = middle + 1
      else high = middle
    }
    return Math.max(0, low - 1)
  }
}
