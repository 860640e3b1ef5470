import { describe, expect, it } from 'vitest'
import type { Plan } from './plan.ts'
import { runSeed } from './run-seed.ts'

const TIMES = 100

/** Somebody gives clinks back all the time, whoever has claimed them. */
const givenBack = (plan: Plan): Plan => {
  const releases = Array.from({ length: TIMES }, (_, n) => {
    return { at: (plan.calmAt * (n + 1)) / (TIMES + 1), what: 'release' as const }
  })
  return { ...plan, people: [...plan.people, ...releases] }
}

describe(
  'a fleet from which clinks are taken by hand keeps what it promises of steps (P5, §4):',
  { timeout: 60_000 },
  () => {
    it.each([
      [8, 'who starts a clink once more asks what others have done since'],
      [60, 'also where the service renews claims of siblings'],
      [14, 'who has waited sends what another one has computed meanwhile'],
      [6, 'and skips what another one has done, also at its first start'],
      [31, 'as does a step of a clink that another one has completed, unheard'],
      [58, 'also where it was given back before its member heard that it has it'],
      [108, 'of two that do a step at once each goes on with what it came to there'],
    ])('%i: %s', async (seed) => {
      const { breaches, requests } = await runSeed(seed, {
        vocabulary: ['fleet', 'steps'],
        planned: givenBack,
        calm: 600_000,
      })
      expect(requests).toBeGreaterThan(50)
      expect(breaches).toEqual([])
    })
  },
)
