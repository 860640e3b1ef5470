import type { DeadLetter } from './dead-letters.ts'
import type { LateResult } from './late-results.ts'

/** Which dead letters or late results are meant. */
export interface Choice {
  /** In the reason or in an error, in whatever case. */
  readonly error?: string
  /** By slug or id. */
  readonly group?: string
  readonly route?: string
  /** Wall time in milliseconds: not before. */
  readonly since?: number
}

export function isChosen(choice: Choice, { at, clink, reason, route, ...rest }: DeadLetter | LateResult): boolean {
  const { error, group } = choice
  const text = error?.toLowerCase()
  const said = [reason ?? '', ...('errors' in rest ? rest.errors : [])]
  return (
    (choice.route === undefined || route === choice.route) &&
    at >= (choice.since ?? -Infinity) &&
    (group === undefined || group === clink.group_slug || group === clink.group_id) &&
    (text === undefined || said.some((one) => one.toLowerCase().includes(text)))
  )
}
