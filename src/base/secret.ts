/** What `node:util` looks for; written so that the types of the package need none of Node's. */
const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom')

/** A text that no log, error or dump shows: whoever needs it says so by calling `reveal`. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [INSPECT](): string {
    return '[secret]'
  }
}
