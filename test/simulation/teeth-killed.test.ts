import { afterEach, describe, expect, it, vi } from 'vitest'
import { errorFact } from '../../src/base/error-fact.ts'
import type { Outcome } from '../../src/runners/outcome.ts'
import { Start } from '../../src/worker/execution/start.ts'
import { findBreach } from './broken-rules.ts'
import type { Breakage } from './life.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

async function isNoticed(rule: string, says: RegExp, breakage: Breakage = {}): Promise<boolean> {
  const options = { vocabulary: ['killed'], breakage } as const
  return (await findBreach(options, (breach) => breach.rule === rule && says.test(breach.text))) !== undefined
}

/** Takes a run that was killed for something else. */
function taking(other: Outcome): Breakage {
  return {
    parts: (real) => {
      const { runner } = real
      if (runner === undefined) return real
      const read = (outcome: Outcome): Outcome => (isKilled(outcome) ? other : outcome)
      return {
        ...real,
        runner: {
          start: (task) => {
            const running = runner.start(task)
            return { ...running, ended: running.ended.then(read) }
          },
        },
      }
    },
  }
}

const isKilled = (outcome: Outcome): boolean =>
  outcome.outcome === 'failed' && /killed|memory/.test(outcome.error.message)

describe('the judge notices a worker', { timeout: 60_000 }, () => {
  it('that does not say what has killed a run (§3)', async () => {
    const silent = taking({ outcome: 'failed', error: errorFact('it ended') })
    expect(await isNoticed('P11', /was killed, and what is told is/, silent)).toBe(true)
  })

  it('that completes a clink whose run was killed (P1, §3)', async () => {
    expect(await isNoticed('P11', /was killed, and its clink is completed/, taking({ outcome: 'done' }))).toBe(true)
  })

  it('that counts no attempt where a run was killed (§3)', async () => {
    // oxlint-disable-next-line typescript/unbound-method -- it is called on what it belongs to
    const { charge } = Start.prototype
    vi.spyOn(Start.prototype, 'charge').mockImplementation(async function (this: Start) {
      await charge.call(this, { countsAttempt: false })
    })
    expect(await isNoticed('P10', /starts as attempt \d+, after \d+ failures/)).toBe(true)
  })
})
