/** The service's own time, in milliseconds since 1970. */
export interface EmulatorClock {
  now(): number
  /** Moves the clock by so many milliseconds; back with a negative number. */
  move(ms: number): void
}

/** The machine's time plus what it was moved by. */
export function movableClock(moved = 0, wall: () => number = Date.now): EmulatorClock & { readonly moved: number } {
  let offset = moved
  return {
    now: () => wall() + offset,
    move: (ms) => {
      offset += ms
    },
    get moved() {
      return offset
    },
  }
}
