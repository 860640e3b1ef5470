import { byPlace, type Place, type Shelf } from './shelf.ts'

export type Order = 'oldest' | 'newest' | 'random'

/** Merges walks that are each in order into one. */
function* merged(walks: readonly Iterator<Place>[], before: (a: Place, b: Place) => number): Generator<Place> {
  const heads = walks.map((walk) => ({ walk, step: walk.next() })).filter(({ step }) => step.done !== true)
  while (heads.length > 0) {
    const [first] = heads
    if (first === undefined) return
    const best = heads.reduce((a, b) => (before(b.step.value, a.step.value) < 0 ? b : a), first)
    yield best.step.value
    best.step = best.walk.next()
    if (best.step.done === true) heads.splice(heads.indexOf(best), 1)
  }
}

/** Every place once, in an order that `random` decides; draws only as many as are asked for. */
function* shuffled(shelves: readonly Shelf[], time: number, random: () => number): Generator<Place> {
  const spans = shelves.map((shelf) => ({ shelf, skip: shelf.countBefore(time) }))
  const total = spans.reduce((sum, { shelf, skip }) => sum + shelf.size - skip, 0)
  const moved = new Map<number, number>()
  for (let drawn = 0; drawn < total; drawn += 1) {
    const pick = drawn + Math.floor(random() * (total - drawn))
    let index = moved.get(pick) ?? pick
    moved.set(pick, moved.get(drawn) ?? drawn)
    for (const { shelf, skip } of spans) {
      if (index < shelf.size - skip) {
        const place = shelf.at(index + skip)
        if (place !== undefined) yield place
        break
      }
      index -= shelf.size - skip
    }
  }
}

/** Walks through several shelves as if they were one, leaving out what was created before `time`. */
export function walk(shelves: readonly Shelf[], time: number, order: Order, random: () => number): Iterable<Place> {
  if (order === 'random') return shuffled(shelves, time, random)
  if (order === 'oldest') {
    return merged(
      shelves.map((shelf) => shelf.from(time)),
      byPlace,
    )
  }
  return merged(
    shelves.map((shelf) => shelf.backTo(time)),
    (a, b) => byPlace(b, a),
  )
}
