export interface Readiness {
  readonly ready: boolean
  /** What keeps the worker from taking work, and what to do about it, for people. */
  readonly reasons: readonly string[]
}

/** What readiness depends on, at one moment. Texts are for people. */
export interface ReadinessFacts {
  readonly isStopping: boolean
  /** The service has answered a poll. */
  readonly hasPolled: boolean
  /** Why an operator wants nothing claimed. */
  readonly held: string | undefined
  /** Why nothing is claimed, or why what is claimed is not run. */
  readonly trouble: string | undefined
  /** What cannot be told about clinks that wait. */
  readonly doubts: readonly string[]
  /** What keeps the state directory from being used. */
  readonly state: string | undefined
  /** Routes on which everything fails. */
  readonly paused: readonly string[]
}

/** Whether the worker takes work. */
export function readiness({ doubts, hasPolled, held, isStopping, paused, state, trouble }: ReadinessFacts): Readiness {
  const all = [
    isStopping ? 'the worker is stopping' : undefined,
    held,
    trouble,
    ...doubts,
    state,
    ...paused.map(
      (name) => `the route ${name} is paused, since everything on it fails: look at what its handler needs`,
    ),
  ]
  const reasons = all.filter((reason) => reason !== undefined)
  if (reasons.length === 0 && !hasPolled) reasons.push('the first poll was not answered yet')
  return { ready: reasons.length === 0, reasons }
}
