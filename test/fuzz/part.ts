import type * as fc from 'fast-check'

/** Told what became of one input, so that it can be seen that not all of them came to the same. */
export type Note = (what: string) => void

/** One kind of input, and what must hold of whoever reads it. */
export interface Part {
  /** What `--only` names. */
  readonly name: string
  /** Makes what the inputs are given to; it is ended with `end`. */
  open(note: Note): Promise<Opened>
}

interface Opened {
  readonly property: fc.IAsyncPropertyWithHooks<unknown[]>
  end(): Promise<void> | void
}
