import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Cancel } from '../../src/base/clock.ts'
import type { Chance } from './chance.ts'
import type { Host, VirtualTime } from './virtual-time.ts'

/** What the disk is like under the journals of a seed. */
export interface StorePlan {
  /** Milliseconds that a commit takes at most, and how many of them take none. */
  readonly slowest: number
  readonly prompt: number
  /** Virtual times in which nothing can be written. */
  readonly failing: readonly { readonly from: number; readonly to: number }[]
}

export const FAST: StorePlan = { slowest: 4, prompt: 0.8, failing: [] }

/** When the journal of one process commits, in virtual time. The crash of the process before that loses what was to be committed. */
export class SlowStore {
  readonly #plan: StorePlan
  readonly #file: string
  readonly #time: VirtualTime
  readonly #host: Host
  readonly #chance: Chance
  #unwrittenSince: number | undefined
  #failedSince: number | undefined

  constructor(plan: StorePlan, directory: string, time: VirtualTime, host: Host, chance: Chance) {
    this.#plan = plan
    this.#file = join(directory, 'journal.db')
    this.#time = time
    this.#host = host
    this.#chance = chance
  }

  /** Since when what was noted is in memory only; undefined: all of it is written. */
  get unwrittenSince(): number | undefined {
    return this.#unwrittenSince
  }

  /** Of that, since when whoever noted it was told that it is kept in memory only. */
  get failedSince(): number | undefined {
    return this.#failedSince
  }

  get isFailing(): boolean {
    const { now } = this.#time
    return this.#plan.failing.some(({ from, to }) => from <= now && now < to)
  }

  /** @param wait what the journal itself waits for, after a failure. */
  schedule(commit: () => void, wait: number): Cancel {
    const { prompt, slowest } = this.#plan
    this.#unwrittenSince ??= this.#time.now
    const takes = wait > 0 || this.#chance.is(prompt) ? wait : this.#chance.between(0, slowest)
    return this.#time.at(this.#time.now + takes, () => this.commit(commit), this.#host)
  }

  /** Whoever else writes to the file at this moment keeps the journal from it. */
  commit(commit: () => void): void {
    if (this.isFailing) {
      using other = new DatabaseSync(this.#file)
      other.exec('BEGIN IMMEDIATE')
      commit()
      this.#failedSince ??= this.#unwrittenSince
    } else {
      commit()
      this.#unwrittenSince = undefined
      this.#failedSince = undefined
    }
  }
}
