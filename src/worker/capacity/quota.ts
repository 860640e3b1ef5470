/** How many clinks the worker takes in all; afterwards it takes none. */
export class Quota {
  readonly #most: number
  readonly #deliveries: { readonly begun: number }

  /** @param most undefined: as many as there are. */
  constructor(most: number | undefined, deliveries: { readonly begun: number }) {
    this.#most = most ?? Infinity
    this.#deliveries = deliveries
  }

  /** Those that an earlier process had in hand are counted. */
  get left(): number {
    return Math.max(0, this.#most - this.#deliveries.begun)
  }
}
