import { describe, expect, it } from 'vitest'
import { runSeed } from './run-seed.ts'

describe('a seed that once broke a promise keeps it now:', { timeout: 60_000 }, () => {
  it.for([
    [993_818, 'a claim is held on to with another key after a crash, though the first answer is lost (P9, §7)'],
    [7_302_627, 'a wall clock that is set forward during a stop leaves its time as it is (P8, §2)'],
  ] as const)('%i: %s', async ([seed]) => {
    const { breaches, requests } = await runSeed(seed, { vocabulary: 'old' })
    expect(requests).toBeGreaterThan(50)
    expect(breaches).toEqual([])
  })
})
