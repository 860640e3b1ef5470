/** What an expression has found: its text, and the named groups that took part. */
export interface Matched {
  readonly text: string
  readonly groups: Readonly<Record<string, string>>
}

/** Nobody can tell whether an expression fits a text. */
export interface ContentFault {
  readonly fault: 'match-timeout' | 'match-failed'
  readonly detail: string
}

export function namedGroups(found: RegExpExecArray | null): Matched | undefined {
  if (found === null) return undefined
  const groups = Object.entries(found.groups ?? {}).filter(([, value]) => value !== undefined)
  return { text: found[0], groups: Object.fromEntries(groups) }
}
