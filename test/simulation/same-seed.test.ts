import { describe, expect, it } from 'vitest'
import { runSeed } from './run-seed.ts'

async function traceOf(seed: number): Promise<readonly string[]> {
  const lines: string[] = []
  await runSeed(seed, { trace: (line) => lines.push(line) })
  return lines
}

describe('a seed', () => {
  it.each([2, 5, 7, 29, 47, 92, 101])('%i gives the same trace each time', { timeout: 60_000 }, async (seed) => {
    const first = await traceOf(seed)
    expect(first.length).toBeGreaterThan(100)
    expect(await traceOf(seed)).toEqual(first)
  })

  it('gives another trace than the next seed', async () => {
    expect(await traceOf(5)).not.toEqual(await traceOf(7))
  })
})
