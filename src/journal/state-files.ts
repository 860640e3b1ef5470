import { tryTo } from '../base/try-to.ts'
import { monotonicNow, wallNow } from '../base/host-time.ts'
import { statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'

/** By these a state directory is ours: whoever finds them missing makes others, and is its owner too. */
const OWNING = ['lock.db', 'journal.db'] as const
/** All that cleaners must not take for forgotten. */
const KEPT = [...OWNING, 'owner', 'journal.db-wal', 'journal.db-shm', 'control.sock'] as const

/** Milliseconds that a look is good for: it costs some microseconds, and is asked for at each poll and start. */
const GOOD_FOR = 100
/** Cleaners go by ages of days. */
const TOUCH_AFTER = 3_600_000

/** The files of a state directory in use, as their paths lead to them: cleaners and people may take them away or put others there. */
export class StateFiles {
  readonly #directory: string
  readonly #owned: readonly { readonly file: string; readonly dev: number; readonly ino: number }[]
  readonly #lost: (problem: string) => void
  #lookedAt = -Infinity
  #problem: string | undefined

  /** @param lost told once, when the directory has become somebody else's to take. */
  constructor(directory: string, lost: (problem: string) => void) {
    this.#directory = directory
    this.#lost = lost
    this.#owned = OWNING.map((name) => {
      const file = join(directory, name)
      const { dev, ino } = statSync(file)
      return { file, dev, ino }
    })
  }

  /** Why the directory is not this process's alone any more; undefined: it is. It never is again. */
  get problem(): string | undefined {
    if (this.#problem === undefined && monotonicNow() - this.#lookedAt > GOOD_FOR) this.#look()
    return this.#problem
  }

  /** Makes the files look used. */
  touch(): void {
    if (this.problem !== undefined) return
    const now = wallNow()
    for (const name of KEPT) {
      const file = join(this.#directory, name)
      // It may not be there, or the disk does not let us: others say so.
      tryTo(() => {
        if (now - statSync(file).mtimeMs > TOUCH_AFTER) utimesSync(file, now / 1_000, now / 1_000)
      })
    }
  }

  #look(): void {
    this.#lookedAt = monotonicNow()
    const other = this.#owned.find(({ file, dev, ino }) => {
      const found = tryTo(() => statSync(file))
      return found?.dev !== dev || found.ino !== ino
    })
    if (other === undefined) return
    const what = tryTo(() => statSync(other.file)) === undefined ? 'has been removed' : 'is another file now'
    this.#problem = `${other.file} ${what} while this worker has it open, so that another worker may own the directory: it starts nothing new. End it and start it again; keep cleaners away from state.directory`
    this.#lost(this.#problem)
  }
}
