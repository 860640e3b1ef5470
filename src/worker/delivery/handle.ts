import type { LostCause, ReleaseCause, RoutedFacts } from '../../events.ts'
import type { Clink } from '../../clink/records.ts'
import type { Lease } from '../claim/lease.ts'
import type { Decision } from '../execution/outcome.ts'
import type { ClinkInHand } from '../execution/task.ts'
import type { Pulse } from '../liveness/pulses.ts'

/** How a clink in hand has ended. Data: `told.ts` makes the event of it. Durations in milliseconds, what Clink took to be told. */
export type Settled =
  /** `presumed`: the answer did not come, and what the service shows lets us presume the completion. */
  | {
      readonly is: 'completed'
      readonly response?: string
      readonly responseId?: string
      readonly presumed: boolean
      readonly duration: number
    }
  | { readonly is: 'released'; readonly why: ReleaseCause; readonly reason?: string; readonly duration: number }
  /** Somebody else settled the clink. */
  | { readonly is: 'elsewhere'; readonly detail: string }
  | { readonly is: 'left-to-expire'; readonly why: string }
  /** `lapsedAt`: of a claim that ran out, the local time until which it certainly stood. */
  | {
      readonly is: 'lost'
      readonly cause: LostCause
      readonly whileTelling: boolean
      readonly lapsedAt: number | undefined
    }
  /** No answer, and no time left: the worker names the clink as left behind. `hadNoEffect`: Clink has surely not heard it. */
  | { readonly is: 'unconfirmed'; readonly hadNoEffect?: boolean }
  /** A dead letter keeps it; its `rerun` says what is next. */
  | { readonly is: 'kept' }

export type GivenUp = Omit<Extract<Decision, { do: 'deadLetter' }>, 'do'>

/** What goes with a release. */
export interface ReleaseFacts {
  readonly reason?: string | undefined
  /** Milliseconds that the clink is left alone. */
  readonly cooldown?: number | undefined
  /** Resolves when what it costs is written, which is to be before it is sent. */
  readonly noted?: Promise<void> | undefined
}

/** Who works a clink in hand: what its handle journals of that, and whom it tells that the clink is lost. */
export interface HandleOwner {
  /** The number of its last start; 0: none yet. */
  readonly attempt: number
  /** Code runs for the clink, be it that of an earlier claim; where its place is barred, it may not go on. */
  readonly isRunning: boolean
  readonly place: { readonly isBarred: boolean } | undefined
  /** Local time at which it starts again; undefined: it is not backing off. */
  readonly dueAt: number | undefined
  /** Milliseconds that the handler has had since this claim began; undefined: it does not run, or had a claim before this one. */
  readonly age: number | undefined
  /** Called once, in the turn in which it is known: from now on nothing is sent. */
  lost(settled: Settled): void
}

/**
 * A clink in our hands. Each operation compares the clock itself, and ends a claim that is past its deadline as lost. A clink is settled
 * once: the first of `complete`, `completeKept`, `release`, `giveUp` and a loss counts, and a later one returns the same.
 */
export interface Handle extends ClinkInHand {
  /** `letter`: a dead letter that is run again. There is no claim, so nobody can take it from us. */
  readonly of: 'claim' | 'letter'
  readonly facts: RoutedFacts
  readonly pulse: Pulse
  /** Milliseconds that the clink was held between its starts. */
  heldFor: number
  /** Of one that is held: its handler wants it so, and nothing has gone wrong. */
  isAsleep: boolean
  /** There is a result of an earlier claim, which is sent and not computed again. */
  readonly hasKept: boolean
  /** How often the clink's handler has outlived its claim. */
  readonly outlived: { readonly times: number; readonly timesAbsent: boolean }
  /** A release is on its way: the service may give the clink out again before it is answered. */
  readonly isReleasing: boolean
  /** A release was to be sent, whatever came of it. */
  readonly releaseTried: boolean
  /** From now on the claim is renewed, and its owner told when it is lost. */
  start(owner: HandleOwner): void
  /** True, at once or later: the clink may be started; false: it is lost, or has to wait for another turn. */
  ready(): Promise<boolean> | boolean
  /** Journals the clink as its owner has it now. */
  note(): Promise<void>
  /** A poll of ours has brought the clink with a claim of this lease, though it is in hand. */
  claimedAnew(lease: Lease): void
  /** The worker stops: no poll of ours can claim the clink any more. */
  drain(): void
  complete(response: string | undefined): Promise<Settled>
  completeKept(): Promise<Settled>
  release(why: ReleaseCause, more?: ReleaseFacts): Promise<Settled>
  /** Makes a dead letter of it, and tells Clink. */
  giveUp(letter: GivenUp): Promise<Settled>
  /** Its owner is done: nothing is renewed any more. */
  end(): void
}

/** What events say of a clink in hand: its start as well, once there is one. */
export function factsOf(clink: Clink, route: string, owner: HandleOwner | undefined): RoutedFacts {
  const attempt = owner?.attempt ?? 0
  return attempt === 0 ? { clink, route } : { clink, route, attempt }
}
