import type { DeadLetter } from './dead-letters.ts'
import type { LateResult } from './late-results.ts'

/** Which dead letters or late results are meant. */
export interface Choice {
  /** In the reason or in an error, in whatever case. */
  readonly error?: string
  /** By slug or id. */
  readonly group?: string
}

export function isChosen({ error, group }: Choice, { clink, reason, ...rest }: DeadLetter | LateResult): boolean {
  const text = error?.toLowerCase()
  const said = [reason ?? '', ...('errors' in rest ? rest.errors : [])]
  return (
    (group === undefined || group === clink.group_slug || group === clink.group_id) &&
    (text === undefined || said.some((one) => one.toLowerCase().includes(text)))
  )
}
