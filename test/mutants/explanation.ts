/** A mutant that no test can notice, since it changes nothing that anybody can see. */
export interface Explanation {
  readonly file: string
  /** The line on which it begins, without what is before and behind it; with lines before that where the line stands in the file twice. */
  readonly line: string
  /** What Stryker calls the change. */
  readonly mutator: string
  readonly original: string
  readonly replacement: string
  /** Why nobody can see it. */
  readonly why: string
}
