import type { LostCause } from '../../events.ts'

/** How a claim ended without our doing. `left`: it is not worked, since nothing shows that it is ours, or for how long. */
export type ClaimEnding = {
  /** The service does not renew claims of unknown length. */
  readonly isUnusable: boolean
} & ({ readonly is: 'lost'; readonly cause: LostCause } | { readonly is: 'left'; readonly why: string })

/** Whose claim a record shows. `stranger`: that of an owner who is not ours, or none. */
export type Shown = 'ours' | 'stranger' | LostCause

/** Why a claim is renewed no more. */
export interface RenewalRefusal {
  readonly why: string
  /** It is the service's own word, so that it holds for other claims as well. */
  readonly isKept: boolean
}
