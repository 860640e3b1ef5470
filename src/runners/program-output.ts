import type { Timeline } from '../base/clock.ts'

/** The least room that is made for an output. */
const ROOM = 4_096

/** Keeps the beginning of what a program writes, in one piece: some write character by character. */
export class Kept {
  readonly #most: number
  #bytes = Buffer.alloc(0)
  #kept = 0
  #total = 0

  /** @param most bytes. */
  constructor(most: number) {
    this.#most = most
  }

  add(chunk: Buffer): void {
    const kept = Math.min(this.#kept + chunk.length, this.#most)
    if (kept > this.#bytes.length) {
      const grown = Buffer.alloc(Math.min(this.#most, Math.max(kept, 2 * this.#bytes.length, ROOM)))
      this.#bytes.copy(grown)
      this.#bytes = grown
    }
    chunk.copy(this.#bytes, this.#kept)
    this.#kept = kept
    this.#total += chunk.length
  }

  get isCut(): boolean {
    return this.#total > this.#most
  }

  /** Bytes in all. */
  get total(): number {
    return this.#total
  }

  /** As UTF-8, without one line end at its end. One that is cut says so within the room that there is. */
  get text(): string {
    if (!this.isCut) return this.#bytes.toString('utf8', 0, this.#kept).replace(/\r?\n$/, '')
    const said = ` […, cut: ${this.#total} bytes in all]`
    const kept = this.#bytes.toString('utf8', 0, Math.max(0, this.#most - Buffer.byteLength(said)))
    // A character may have lost its end.
    return kept.replace(/\uFFFD$/, '') + said
  }
}

/** Lines that are said at once, and how many more a second: a flood would keep the worker from everything else. */
const BURST = 1_000
const A_SECOND = 100

/** Calls `say` with lines that are not blank. Of a long line only the beginning is ever kept; of a flood lines are left out, and it says so. */
export class Lines {
  readonly #most: number
  readonly #clock: Timeline
  readonly #say: (line: string) => void
  #line = ''
  #length = 0
  #last: string | undefined
  #room = BURST
  #roomAt: number
  #leftOut = 0

  /** @param most UTF-16 units of a line. */
  constructor(most: number, clock: Timeline, say: (line: string) => void) {
    this.#most = most
    this.#clock = clock
    this.#say = say
    this.#roomAt = clock.now()
  }

  /** The last line, whether it was said or not. */
  get last(): string | undefined {
    return this.#last
  }

  add(text: string): void {
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) this.#endLine()
      this.#length += part.length
      this.#line += part.slice(0, Math.max(0, this.#most - this.#line.length))
    }
    this.#fill()
  }

  /** What came since the last line end is a line, too. */
  end(): void {
    this.#endLine()
    this.#sayLeftOut()
  }

  #endLine(): void {
    const said = ` […, cut: ${this.#length} characters in all]`
    const isCut = this.#length > this.#most
    const line = isCut ? this.#line.slice(0, this.#most - said.length).toWellFormed() + said : this.#line.trimEnd()
    this.#line = ''
    this.#length = 0
    if (line.trim() === '') return
    this.#last = line
    if (this.#room < 1) {
      this.#leftOut += 1
      return
    }
    this.#sayLeftOut()
    this.#room -= 1
    this.#say(line)
  }

  #fill(): void {
    const now = this.#clock.now()
    this.#room = Math.min(BURST, this.#room + ((now - this.#roomAt) / 1_000) * A_SECOND)
    this.#roomAt = now
  }

  #sayLeftOut(): void {
    if (this.#leftOut > 0) this.#say(`[${this.#leftOut} lines left out: more than ${A_SECOND} a second]`)
    this.#leftOut = 0
  }
}
