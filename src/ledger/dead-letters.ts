import { cutText, LONGEST } from '../base/cut-text.ts'
import { pageOf, type Page, type Place } from './page.ts'
import type { Begun, FailedLeases } from './remembered.ts'
import type { Row } from './rows.ts'
import { DONE, hasBetween } from './table.ts'
import { OPEN, type LedgerTables } from './tables.ts'

export type DeadLetter = Row<'letters'>
export type RerunState = NonNullable<DeadLetter['rerun']>

/**
 * What became of a request about a dead letter. `done`: it is carried out; `rerun`: its clink is run again without a claim, and its
 * result is sent as a new clink; `elsewhere`: another member of the fleet does that already, by what is known of it; `unknown`: there is no
 * such letter.
 */
export type LetterChange = 'done' | 'rerun' | 'elsewhere' | 'unknown'

/** What is remembered of a clink that is worked, and of letters that other members run again. */
interface Worked {
  readonly clinkId: string
  readonly others: { readonly begun: readonly Begun[] } | undefined
  readonly rerun: RerunState | undefined
}

/** More than a page holds. */
const ENOUGH = 1_000

/** The dead letters of one state directory. */
export class DeadLetters {
  readonly #tables: Pick<LedgerTables, 'letters' | 'cooling' | 'steps'>
  readonly #wall: () => number
  readonly #changed: (clinkId: string, letter: DeadLetter | undefined) => void
  readonly #member: string | undefined
  /** Of a fleet: those whose reruns this process has begun, whoever was asked for them since. */
  readonly #begun = new Set<string>()

  /**
   * @param changed told in the turn in which a letter is another one.
   * @param member of a fleet: it runs again what it was asked to, and no letter that another member was asked about.
   */
  constructor(
    tables: Pick<LedgerTables, 'letters' | 'cooling' | 'steps'>,
    wall: () => number,
    changed: (clinkId: string, letter: DeadLetter | undefined) => void,
    member?: string,
  ) {
    this.#member = member
    this.#tables = tables
    this.#changed = changed
    this.#wall = wall
  }

  /** Those that nobody has discarded, oldest first. */
  all(): readonly DeadLetter[] {
    return [...this.#tables.letters.between('at', -Infinity, Infinity)]
      .map(([, letter]) => letter)
      .sort((a, b) => a.at - b.at)
  }

  /** How many wait for somebody to act: those that are run again go on by themselves. */
  get count(): number {
    return this.#tables.letters.count('at') - this.#tables.letters.count('rerun')
  }

  /** Some of those that nobody has discarded, oldest first, from the one after the place that is named. */
  page(after?: Place): Page<DeadLetter> {
    const from = (after?.at ?? -Infinity) - 1
    const rows: DeadLetter[] = []
    for (const [, letter] of this.#tables.letters.between('at', from, Infinity)) {
      // They come in their order: what is later belongs to a later page.
      if (letter.at > (rows[ENOUGH]?.at ?? Infinity)) break
      rows.push(letter)
    }
    return pageOf(rows, after, ({ at, clink }) => ({ at, id: clink.clink_id }))
  }

  /** Whether the clink is given up; also when its letter was discarded. */
  has(clinkId: string): boolean {
    return this.#tables.letters.get(clinkId) !== undefined
  }

  get(clinkId: string): DeadLetter | undefined {
    const letter = this.#tables.letters.get(clinkId)
    return letter?.discarded === true ? undefined : letter
  }

  /** A clink of one of them may wait in the inbox. */
  get mayBePending(): boolean {
    return hasBetween(this.#tables.letters, 'pending', 0, Infinity)
  }

  /** Clink has what the sender was to be told, or somebody else has settled the clink. */
  noticed(clinkId: string): Promise<void> {
    const letter = this.get(clinkId)
    if (letter?.notice === undefined) return DONE
    // Whatever the inbox has shown before: it is completed.
    const { notice: _notice, seen: _seen, untaken: _untaken, ...rest } = letter
    return this.add(rest)
  }

  /** Notes that another lease ended in which the service failed for so long to take the notice. */
  async failedLease(letter: DeadLetter, ms: number): Promise<FailedLeases> {
    const { leases, failedAt } = letter.untaken ?? { leases: 0, failedAt: this.#wall() - ms }
    await this.add({ ...letter, untaken: { leases: leases + 1, failedAt } })
    return { leases: leases + 1, over: this.#wall() - failedAt }
  }

  add(letter: DeadLetter): Promise<void> {
    const reason = cutText(letter.reason, LONGEST.error)
    const errors = letter.errors.map((error) => cutText(error, LONGEST.error))
    const kept = { ...letter, reason, errors }
    if (letter.rerun === undefined) this.#begun.delete(letter.clink.clink_id)
    this.#changed(letter.clink.clink_id, kept)
    return this.#tables.letters.set(letter.clink.clink_id, kept)
  }

  remove(clinkId: string): Promise<void> {
    this.#begun.delete(clinkId)
    this.#changed(clinkId, undefined)
    return this.#tables.letters.delete(clinkId)
  }

  /**
   * Takes the clink for a new one: it is run when it comes. Its attempts were forgotten when it became a dead letter. A clink whose sender was
   * told that it failed, or is just being told, never comes again, since Clink holds it for completed, unless the inbox has shown it all the same. What a rerun
   * has begun it ends, though: its result is not computed again.
   *
   * @param begun what other members of a fleet run already.
   */
  async retry(clinkId: string, begun: readonly Begun[] = []): Promise<LetterChange> {
    const letter = this.get(clinkId)
    if (letter === undefined) return 'unknown'
    const isCompleted = letter.tell === 'complete' && (letter.seen === undefined || letter.notice !== undefined)
    if (letter.rerun !== undefined || isCompleted) {
      const { response, step } = letter.rerun ?? {}
      const next: RerunState = response === undefined ? { step: 'due' } : { step: 'ready', response }
      const isToRun = response === undefined && !this.#begun.has(clinkId)
      const [isMine, isTheirs] = [this.#isMine(letter), isToRun && isBegun(letter, begun)]
      if (OPEN.has(step) && (step !== 'due' || isTheirs || isMine)) return isMine && !isTheirs ? 'rerun' : 'elsewhere'
      await this.add({ ...letter, rerun: this.#signed(next) })
      return 'rerun'
    }
    await Promise.all([this.remove(clinkId), this.#tables.cooling.delete(clinkId)])
    return 'done'
  }

  /** Forgets what the letter holds, but not that its clink is given up: it may still be pending. */
  async discard(clinkId: string): Promise<LetterChange> {
    const letter = this.get(clinkId)
    if (letter === undefined) return 'unknown'
    const { notice: _notice, rerun: _, ...rest } = letter
    const clink = { ...letter.clink, content: '' }
    await Promise.all([
      this.add({ ...rest, clink, reason: '', errors: [], at: this.#wall(), discarded: true }),
      this.#tables.steps.drop(clinkId),
    ])
    return 'done'
  }

  /** Those whose clinks are to be run again, or whose results are to be sent. */
  reruns(): readonly DeadLetter[] {
    return [...this.#tables.letters.between('rerun', 0, Infinity)]
      .map(([, letter]) => letter)
      .filter((letter) => this.#isMine(letter))
      .sort((a, b) => a.at - b.at)
  }

  /** How far the rerun is; undefined: none is wanted, or no more. */
  rerunOf(clinkId: string): RerunState | undefined {
    const letter = this.get(clinkId)
    return letter !== undefined && this.#isMine(letter) ? openRerun(letter) : undefined
  }

  /** Other members of a fleet have them as well. */
  get areShared(): boolean {
    return this.#member !== undefined
  }

  /** The rerun of a letter has begun here, and is not another member's any more. */
  begun(clinkId: string): void {
    if (this.rerunOf(clinkId) !== undefined) this.#begun.add(clinkId)
  }

  /** No start of its rerun counts any more: another member may take it over. */
  takenBack(clinkId: string): void {
    this.#begun.delete(clinkId)
  }

  /** Whether the rerun of a clink that is worked is another member's: that was asked for it since, or has begun it. What that has come to may be sent here. */
  isElsewhere({ clinkId, others, rerun }: Worked): boolean {
    if (this.#member === undefined || rerun === undefined || this.#begun.has(clinkId)) return false
    const isToRun = rerun.response === undefined
    return this.rerunOf(clinkId) === undefined || (isToRun && isBegun(this.get(clinkId), others?.begun))
  }

  /** Another member runs it again, or is to. */
  isRerunElsewhere(letter: DeadLetter): boolean {
    return letter.discarded !== true && letter.rerun !== undefined && !this.#isMine(letter)
  }

  /** Those that other members run again, or are to. */
  rerunElsewhere(): readonly DeadLetter[] {
    if (this.#member === undefined) return []
    const letters = [...this.#tables.letters.between('rerun', 0, Infinity)].map(([, letter]) => letter)
    return letters.filter((letter) => this.isRerunElsewhere(letter))
  }

  /** The members that keep its rerun from being begun here. */
  runners(letter: DeadLetter, begun: readonly Begun[] = []): readonly string[] {
    const { by = this.#member } = openRerun(letter) ?? {}
    if (this.#begun.has(letter.clink.clink_id) || by === undefined || openRerun(letter) === undefined) return []
    return [by, ...begun.filter((one) => one.letter === letter.at).map((one) => one.by)].filter(
      (member) => member !== this.#member,
    )
  }

  /** Those are gone, and an operator wants it run here. What they may have sent stays with the operator. */
  async takeOver(letter: DeadLetter): Promise<void> {
    const { response, step } = letter.rerun ?? {}
    const left: RerunState['step'] = step === 'sending' ? 'unknown' : 'ready'
    await this.add({
      ...letter,
      rerun: this.#signed(response === undefined ? { step: 'due' } : { step: left, response }),
    })
  }

  #isMine({ clink, rerun }: DeadLetter): boolean {
    return rerun?.by === this.#member || rerun?.by === undefined || this.#begun.has(clink.clink_id)
  }

  #signed(rerun: RerunState): RerunState {
    return this.#member === undefined ? rerun : { ...rerun, by: this.#member }
  }

  /** Notes how far a rerun is. Nothing is noted of one that is wanted no more. */
  async noteRerun(clinkId: string, rerun: RerunState, reason?: string): Promise<void> {
    const letter = this.get(clinkId)
    if (letter === undefined || this.rerunOf(clinkId) === undefined) return
    const why = reason === undefined ? {} : { reason, errors: [...letter.errors, reason] }
    await this.add({ ...letter, ...why, rerun: this.#signed(rerun) })
  }

  /** The state directory is a copy: whoever it was copied from runs them, and may have sent what was to be sent. */
  async dropReruns(): Promise<void> {
    const writes = this.reruns().map(async ({ rerun, ...letter }) => {
      if (rerun?.response === undefined) return await this.add(letter)
      await this.noteRerun(letter.clink.clink_id, { ...rerun, step: 'unknown' }, NOT_KNOWN)
    })
    await Promise.all(writes)
  }
}

export function openRerun(letter: DeadLetter | undefined): RerunState | undefined {
  return OPEN.has(letter?.rerun?.step) ? letter?.rerun : undefined
}

export const NOT_KNOWN = 'its result was to be sent, and nothing says whether it arrived'

function isBegun(letter: DeadLetter | undefined, begun: readonly Begun[] = []): boolean {
  return begun.some((one) => one.letter === letter?.at)
}
