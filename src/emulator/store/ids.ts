const LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz'

/**
 * Makes ids. The tag differs between runs, so that an emulator that was started anew does not give out ids that somebody's
 * journal still knows from the last one.
 */
export class Ids {
  readonly tag: string
  #count: number

  constructor(random: () => number, kept?: { readonly tag: string; readonly count: number }) {
    this.tag = kept?.tag ?? Array.from({ length: 6 }, () => LETTERS[Math.floor(random() * LETTERS.length)]).join('')
    this.#count = kept?.count ?? 0
  }

  next(prefix: string): string {
    this.#count += 1
    return `${prefix}_${this.tag}${this.#count.toString(36).padStart(6, '0')}`
  }

  snapshot(): { readonly tag: string; readonly count: number } {
    return { tag: this.tag, count: this.#count }
  }
}
