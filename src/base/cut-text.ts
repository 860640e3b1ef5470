/**
 * The longest texts that are kept about a clink, in UTF-16 units. `cutText` cuts a longer one, and the text then says
 * so.
 */
export const LONGEST = {
  /** An error, with all that caused it; a reason; a line of a handler's log. */
  error: 16_384,
  /** What an operator says about what he does. */
  note: 1_000,
  /** A reply, or a result that came too late. */
  result: 65_536,
  /** What a handler answers: Clink takes far less, but an operator may want it. */
  response: 1_048_576,
} as const

/** A text that is no longer than `most`, well formed where it is cut. Unlike a slice, it keeps nothing of the longer one. */
export function cutText(text: string, most: number): string {
  if (text.length <= most) return text
  const said = ` […, cut: ${text.length} characters in all]`
  const kept = text.slice(0, Math.max(0, most - said.length))
  return unsliced(kept.isWellFormed() ? kept : kept.slice(0, -1)) + said
}

/** The same text, well formed, which keeps nothing of the longer one that it is a slice of. */
export function unsliced(slice: string): string {
  return Buffer.from(slice.toWellFormed()).toString()
}
