import type { RenewalRequest } from './renewal-round.ts'

/**
 * - `waiting`: for the time of the next renewal.
 * - `asking`: a renewal is on its way.
 * - `refused`: the service renews no more. The clink is to be looked at, which may show that the claim is lost.
 * - `looking`: that look is on its way.
 * - `resting`: nothing is renewed any more; the claim stands until its deadline.
 * - `over`: the end. The claim is lost, left to expire, or settled.
 */
export type KeeperState = 'waiting' | 'asking' | 'refused' | 'looking' | 'resting' | 'over'

/** What is to be done now. The next step is due at the local time `next`, or once an answer was told. */
export type KeeperStep =
  | ({ readonly do: 'renew'; readonly next: number } & RenewalRequest)
  | { readonly do: 'look' | 'wait' | 'rest'; readonly next: number }
  | { readonly do: 'end' }
