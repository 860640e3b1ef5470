import type { DeadLetter, DeadLetters, LetterChange } from './dead-letters.ts'
import type { Fleet } from './fleet.ts'
import type { Memory } from './memory.ts'
import type { Progress } from './progress.ts'
import type { Begun } from './remembered.ts'
import { together } from './table.ts'

/** Somebody asks here for a rerun, and is not answered yet. */
interface Asking {
  readonly clinkId: string
  /** Others have gone on with the letter before the fleet was told of it. */
  isUndone: boolean
}

/** What operators want of dead letters. In a fleet it is about what the fleet knows now, which another member may have changed a moment ago. */
export class LetterActs {
  readonly #letters: DeadLetters
  readonly #progress: Progress
  readonly #load: (clinkId: string) => Memory
  readonly #wall: () => number
  readonly #fleet: Fleet | undefined
  readonly #asking = new Set<Asking>()

  constructor(
    letters: DeadLetters,
    progress: Progress,
    load: (clinkId: string) => Memory,
    wall: () => number,
    fleet: Fleet | undefined,
  ) {
    this.#letters = letters
    this.#progress = progress
    this.#load = load
    this.#wall = wall
    this.#fleet = fleet
    fleet?.onLetter((id, letter) => this.#changedElsewhere(id, letter))
    for (const { clink } of letters.rerunElsewhere()) this.#standBack(clink.clink_id)
  }

  /** As `DeadLetters.retry`; asked once more before the clink is settled, it changes nothing. @param tries where another member is faster. */
  async retry(clinkId: string, tries = 3): Promise<LetterChange> {
    await this.#learn(clinkId)
    const isLetter = this.#letters.get(clinkId) !== undefined
    const { attempts, others } = this.#load(clinkId)
    if (!this.#letters.has(clinkId) && (attempts.retried === true || others?.attempts.retried === true)) return 'done'
    const asking = { clinkId, isUndone: false }
    this.#asking.add(asking)
    const said = await this.#carryOut(clinkId, isLetter, others?.begun).finally(() => this.#asking.delete(asking))
    const isUndone = said === 'done' ? this.#letters.has(clinkId) : said === 'rerun' && asking.isUndone
    if (isUndone && isLetter && tries > 1) return await this.retry(clinkId, tries - 1)
    return isUndone ? 'unknown' : said
  }

  /** What was asked for here before and the fleet does not know is of no account where another member has come to an end with it meanwhile. */
  async #learn(clinkId: string): Promise<void> {
    await this.#fleet?.untilTold(clinkId)
    await this.#fleet?.recall([clinkId])
  }

  async #carryOut(clinkId: string, isLetter: boolean, begun: readonly Begun[] | undefined): Promise<LetterChange> {
    if (await this.#takesOver(clinkId, begun)) return 'rerun'
    const change = this.#letters.retry(clinkId, begun)
    // In the same commit: without the letter, this alone tells that it was asked for.
    if (isLetter && !this.#letters.has(clinkId)) {
      const at = this.#wall()
      const over = this.#fleet?.over(clinkId, undefined, at)
      const kept = { ...this.#progress.attemptsOf(clinkId), retried: true as const, at }
      await together(over, this.#progress.setAttempts(clinkId, kept, true))
    }
    return await change
  }

  /** Whoever has begun it shows no sign of life: what an operator asks for counts, and it begins anew here. */
  async #takesOver(clinkId: string, begun: readonly Begun[] | undefined): Promise<boolean> {
    const letter = this.#letters.get(clinkId)
    if (letter === undefined) return false
    const runners = this.#letters.runners(letter, begun)
    if (runners.length === 0 || !(await this.#areGone(runners))) return false
    await Promise.all([this.#letters.takeOver(letter), this.#progress.reset(clinkId)])
    return true
  }

  /** A worker that has left its fleet knows nobody. */
  async #areGone(runners: readonly string[]): Promise<boolean> {
    if (this.#fleet === undefined) return true
    const { members } = (await this.#fleet.look().catch(() => undefined)) ?? { members: [] }
    return members.length > 0 && !members.some(({ isSilent, member }) => !isSilent && runners.includes(member))
  }

  #changedElsewhere(clinkId: string, letter: DeadLetter | undefined): void {
    this.#progress.changed(clinkId, { letter })
    const isWanted = this.#letters.rerunOf(clinkId) !== undefined
    for (const asking of this.#asking) asking.isUndone ||= asking.clinkId === clinkId && !isWanted
    if (letter !== undefined && this.#letters.isRerunElsewhere(letter)) this.#standBack(clinkId)
  }

  /** What an earlier process has begun here is another member's now, which waits until nobody else says that it has begun. The starts count. */
  #standBack(clinkId: string): void {
    const attempts = this.#progress.attemptsOf(clinkId)
    if (attempts.letter !== undefined) void this.#progress.setAttempts(clinkId, { ...attempts, stoodBack: true })
  }

  /** As `DeadLetters.discard`. */
  async discard(clinkId: string): Promise<LetterChange> {
    await this.#learn(clinkId)
    const isDone = await this.#letters.discard(clinkId)
    return this.#letters.has(clinkId) ? isDone : 'unknown'
  }
}
