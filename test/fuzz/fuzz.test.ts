import { describe, expect, it } from 'vitest'
import { parts } from './parts.ts'
import { tryPart } from './try-part.ts'

/** `npm run fuzz` gives them many more. */
const RUNS = 100
/** The same ones each time; `npm run fuzz` tries others. */
const SEED = 1

describe('what nobody means to send', () => {
  it.each(parts)('ends, holds up and misleads nobody: $name', async (part) => {
    const { failure, runs, seen } = await tryPart(part, { runs: RUNS, seed: SEED })
    expect(failure).toBeUndefined()
    expect(runs).toBe(RUNS)
    // Inputs that all come to the same try nothing.
    expect(seen.size).toBeGreaterThan(1)
  })
})
