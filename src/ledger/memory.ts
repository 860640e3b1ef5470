import type { Clink } from '../clink/records.ts'
import type { ByOthers } from './fleet.ts'
import { openRerun, type DeadLetter, type RerunState } from './dead-letters.ts'
import { ERRORS_KEPT } from './attempt-notes.ts'
import { NONE, type Attempts, type KeptResult, type Tried } from './remembered.ts'

/** What the ledger's steps change of a memory. */
export interface Kept {
  attempts?: Attempts | undefined
  result?: KeptResult | undefined
  /** Also a discarded one. */
  letter?: DeadLetter | undefined
}

/**
 * What is remembered of one clink, as far as working it needs that: loaded with the page that shows the clink, and kept up to date by the
 * steps of the ledger, and by nobody else, as long as somebody works the clink.
 */
export class Memory {
  readonly clinkId: string
  /** This worker sent it. */
  isOwn: boolean
  /** Milliseconds for which it is left alone, from when it was recalled. */
  coolsFor: number
  /** Something may be kept of what its handler has done: it was started before. */
  mayHaveSteps: boolean
  /** What other members of a fleet have done with it. */
  others: ByOthers | undefined
  /** False: what a fleet remembers of it could not be read since it is in hand. */
  isCurrent = true
  /** It was read since it is in hand, though not a moment ago perhaps. */
  wasRead = false
  /** How many work it: code of an earlier claim may go on beside the next one. */
  workers = 0
  readonly #kept: Kept
  #isOfFleet = false

  constructor(clinkId: string, kept: Kept, { coolsFor, isOwn }: Pick<Memory, 'coolsFor' | 'isOwn'>) {
    this.clinkId = clinkId
    this.isOwn = isOwn
    this.coolsFor = coolsFor
    this.#kept = kept
    this.mayHaveSteps = this.attempts !== NONE || kept.letter !== undefined
  }

  change(kept: Kept): void {
    Object.assign(this.#kept, kept)
  }

  /**
   * What a fleet says; undefined: nothing was read. Of a worked clink whose claim stands nobody else does anything: what was read before stays.
   *
   * @param isInHand it was read under this claim before. Starts or a result that are gone since are so because somebody has settled it: to this claim they still count.
   */
  takeOthers(read: ByOthers | 'none' | undefined, isInHand = false): void {
    this.#isOfFleet = true
    this.isCurrent = read !== undefined || (this.workers > 0 && this.isCurrent)
    this.wasRead ||= read !== undefined
    const others = read === 'none' ? undefined : read
    if (read !== undefined) this.others = isInHand ? withoutLoss(others, this.others) : others
    if (this.others !== undefined) this.mayHaveSteps = true
  }

  get attempts(): Attempts {
    return this.#kept.attempts ?? NONE
  }

  get result(): KeptResult | undefined {
    return this.#kept.result ?? this.others?.result
  }

  get isCooling(): boolean {
    return this.coolsFor > 0
  }

  /** Of a letter that is run again these are the starts over it: whoever takes it over from a member that shows no sign of life goes on with that one's. */
  get tried(): Tried {
    const mine = triedBy(startsOver(this.letter, this.attempts))
    return this.#byOthers.reduce((tried, { count, errors, excused = 0, outlived = 0, released = 0 }) => {
      return {
        ...tried,
        starts: tried.starts + count,
        errors: [...errors, ...tried.errors].slice(-ERRORS_KEPT),
        excused: tried.excused + excused,
        outlived: tried.outlived + outlived,
        released: tried.released + released,
      }
    }, mine)
  }

  /** As in `tried`. */
  get startsOfOthers(): number {
    return this.#byOthers.reduce((sum, { count }) => sum + count, 0)
  }

  get #byOthers(): readonly ByOthers['attempts'][] {
    const { letter, others } = this
    if (letter === undefined || others === undefined) return others === undefined ? [] : [others.attempts]
    return others.overLetters.filter((one) => one.letter === letter.at)
  }

  /** Starts of a fleet that have failed, or of which it is not known what came of them; 0 where there is no fleet. */
  get startsInFleet(): number {
    const { excused, released, starts } = this.tried
    return this.#isOfFleet ? starts - excused - released : 0
  }

  /** It is a dead letter, also a discarded one. */
  get isGivenUp(): boolean {
    return this.#kept.letter !== undefined
  }

  /** Its dead letter, unless that is discarded. */
  get letter(): DeadLetter | undefined {
    const { letter } = this.#kept
    return letter?.discarded === true ? undefined : letter
  }

  /** How far its rerun is; undefined: none is wanted, or no more. */
  get rerun(): RerunState | undefined {
    return openRerun(this.letter)
  }

  /** The answer that its sender should have and may not have, also while the clink runs again: until it is told, others may claim the clink. */
  noticeFor({ content }: Clink): string | undefined {
    const { clink, notice } = this.letter ?? {}
    return clink?.content === content ? notice : undefined
  }

  /** A claim on it is good for nothing: it is given up, and what is left to be done needs no claim. */
  isLeftToLetter(clink: Clink): boolean {
    return this.isGivenUp && this.noticeFor(clink) === undefined
  }

  /** Why a claim on it is given back without a start, which another worker may have caused since the clink was listed; undefined: it is not. */
  whyGivenBack(clink: Clink): string | undefined {
    if (this.isLeftToLetter(clink)) return 'it is a dead letter'
    return this.#isOfFleet && this.isCooling ? 'another worker has given it back a moment ago' : undefined
  }

  /** The answer that may have been sent and is not confirmed: the kept result, unless the clink has changed since, or the notice of a dead letter. */
  unconfirmed(clink: Clink): { readonly response?: string } | undefined {
    const { result } = this
    const notice = this.noticeFor(clink)
    if (notice !== undefined) return { response: notice }
    return result?.content === clink.content ? result : undefined
  }
}

/** What was recalled of the clinks that were named. */
export type Memories = (clinkId: string) => Memory

/** What counts of a member's attempts: of a letter only the starts over it, and what is known of crashes. Others it may note late, of the time before. */
function startsOver(letter: DeadLetter | undefined, attempts: Attempts): Attempts {
  if (letter === undefined || attempts.letter === letter.at) return attempts
  const { crashes, suspect = false } = attempts
  return { ...NONE, crashes, suspect }
}

/** With one start more, over the letter where there is one. @param at wall time in milliseconds. */
export function withStart(letter: DeadLetter | undefined, attempts: Attempts, at: number): Attempts {
  const { isTakenBack: _, letter: __, stoodBack: ___, ...before } = startsOver(letter, attempts)
  return { ...before, count: before.count + 1, at, ...(letter && { letter: letter.at }) }
}

export function triedBy(attempts: Attempts): Tried {
  const { count, crashes, errors, excused = 0, outlived = 0, released = 0, suspect = false } = attempts
  return { starts: count, crashes, errors, excused, outlived, released, isSuspect: suspect }
}

function withoutLoss(now: ByOthers | undefined, before: ByOthers | undefined): ByOthers | undefined {
  if (now === undefined || before === undefined) return now ?? before
  const result = now.result ?? before.result
  const attempts = now.attempts.count < before.attempts.count ? before.attempts : now.attempts
  return { ...now, attempts, ...(result !== undefined && { result }) }
}
