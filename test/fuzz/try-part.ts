import * as fc from 'fast-check'
import type { Part } from './part.ts'

export interface Trial {
  readonly runs: number
  /** Left out: one that nobody has chosen. */
  readonly seed?: number | undefined
  /** Where a failure was found with that seed, as it was printed: it alone is tried. */
  readonly path?: string | undefined
}

export interface Tried {
  readonly runs: number
  /** What became of the inputs, and of how many. */
  readonly seen: ReadonlyMap<string, number>
  /** Undefined: nothing was found. */
  readonly failure: string | undefined
}

/** Gives a part so many inputs. */
export async function tryPart(part: Part, { path, runs, seed = Date.now() & 0x7f_ff_ff_ff }: Trial): Promise<Tried> {
  const seen = new Map<string, number>()
  const opened = await part.open((what) => seen.set(what, (seen.get(what) ?? 0) + 1))
  try {
    const found = await fc.check(opened.property, {
      seed,
      numRuns: runs,
      ...(path === undefined ? {} : { path }),
    })
    return { runs: found.numRuns, seen, failure: found.failed ? failureOf(part, found) : undefined }
  } finally {
    await opened.end()
  }
}

const LONGEST_SHOWN = 4_000

function failureOf({ name }: Part, found: fc.RunDetails<unknown[]>): string {
  const { counterexample, counterexamplePath, errorInstance, seed } = found
  const shown = fc.stringify(counterexample)
  const short = shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}… (${shown.length} characters)` : shown
  const why = errorInstance instanceof Error ? (errorInstance.stack ?? errorInstance.message) : String(errorInstance)
  const again = `npm run fuzz -- --only ${name} --seed ${seed} --path ${counterexamplePath}`
  return `${name}: seed ${seed}; again: ${again}\n  given ${short}\n  ${why}`
}
