/**
 * What the service's own time stamps tell about local time, without comparing the two clocks: of two stamps the later one was made
 * later, so it was made after the request that brought the earlier one was sent.
 */
export class ServiceTime {
  #stamp = -Infinity
  #sentAt: number | undefined

  /** @param sentAt local time before which the stamp cannot have been made. */
  note(stamp: string | null | undefined, sentAt: number): void {
    const time = typeof stamp === 'string' ? Date.parse(stamp) : Number.NaN
    if (Number.isNaN(time) || time <= this.#stamp) return
    this.#stamp = time
    this.#sentAt = sentAt
  }

  /** A local time before which the stamp cannot have been made; undefined: nothing is known. */
  notBefore(stamp: string | null | undefined): number | undefined {
    const time = typeof stamp === 'string' ? Date.parse(stamp) : Number.NaN
    return time > this.#stamp ? this.#sentAt : undefined
  }
}
