/** What holds seats: each as many as its weight, or all where there are fewer. So it holds more of them where more are added while it runs. */
export class Weights {
  readonly #holders = new Map<number, number>()

  add(weight: number): void {
    this.#holders.set(weight, (this.#holders.get(weight) ?? 0) + 1)
  }

  remove(weight: number): void {
    this.#holders.set(weight, (this.#holders.get(weight) ?? 0) - 1)
  }

  /** How many seats they hold where there are so many. */
  of(seats: number): number {
    let sum = 0
    for (const [weight, holders] of this.#holders) sum += Math.min(weight, seats) * holders
    return sum
  }
}
