import { afterEach, describe, expect, it, vi } from 'vitest'
import { SignsOfLife } from '../../src/worker/execution/signs-of-life.ts'
import type { RoutedClink } from '../../src/handlers/route.ts'
import { findBreach } from './broken-rules.ts'
import type { Breakage } from './life.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

async function isNoticed(says: RegExp, breakage: Breakage = {}): Promise<boolean> {
  const options = { vocabulary: ['idle'], breakage } as const
  return (await findBreach(options, ({ rule, text }) => rule === 'P4' && says.test(text))) !== undefined
}

/** Its route lacks something. */
const routed = (change: Partial<RoutedClink['route']>): Breakage => ({
  parts: (real) => {
    const { router } = real
    const changed = (found: RoutedClink | undefined): RoutedClink | undefined =>
      found && { ...found, route: { ...found.route, ...change } }
    const find: typeof router.find = (clink, identity) => {
      const found = router.find(clink, identity)
      return found instanceof Promise ? found.then(changed) : changed(found)
    }
    return { ...real, router: { ...router, find } }
  },
})

describe('the judge notices a worker', { timeout: 60_000 }, () => {
  it('that lets a silent run go on (§3)', async () => {
    expect(await isNoticed(/goes on though it is silent since/, routed({ idle: undefined }))).toBe(true)
  })

  it('that does not hear the signs of life of a run (§3)', async () => {
    vi.spyOn(SignsOfLife.prototype, 'show').mockReturnValue()
    expect(await isNoticed(/is aborted after [\d.]+ ms, not/)).toBe(true)
  })
})
