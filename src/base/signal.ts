/**
 * Something that parts act by. Who listens is called in the turn in which it is said, in the order in which they began to listen; a fault
 * of one of them is the speaker's.
 */
export class Signal<Payload extends readonly unknown[] = []> {
  readonly #acts: ((...payload: Payload) => void)[] = []

  on(act: (...payload: Payload) => void): void {
    this.#acts.push(act)
  }

  say(...payload: Payload): void {
    for (const act of this.#acts) act(...payload)
  }
}
