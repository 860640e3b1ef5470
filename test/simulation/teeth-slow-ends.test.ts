import { afterEach, describe, expect, it, vi } from 'vitest'
import type { WorkerEvent } from '../../src/events.ts'
import { Run } from '../../src/worker/execution/run.ts'
import { findBreach } from './broken-rules.ts'
import type { Breakage } from './life.ts'
import { ENDED } from './runner.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

async function isNoticed(rule: string, says: RegExp, breakage: Breakage = {}): Promise<boolean> {
  const options = { vocabulary: ['slow-end', 'single'], breakage } as const
  return (await findBreach(options, (breach) => breach.rule === rule && says.test(breach.text))) !== undefined
}

describe('the judge notices a worker', { timeout: 60_000 }, () => {
  it('that does not end what ignores its abort (P11)', async () => {
    vi.spyOn(Run.prototype, 'kill').mockReturnValue(true)
    expect(await isNoticed('P11', /goes on [\d.]+ ms after its abort/)).toBe(true)
  })

  it('that ends a run with its abort, and gives it no grace (P11)', async () => {
    // oxlint-disable-next-line typescript/unbound-method -- it is called on what it belongs to
    const { abort } = Run.prototype
    vi.spyOn(Run.prototype, 'abort').mockImplementation(function (this: Run, code) {
      abort.call(this, code)
      this.kill()
    })
    expect(await isNoticed('P11', /is ended [\d.]+ ms after its abort/)).toBe(true)
  })

  it('that does not say what was stuck (P11)', async () => {
    const parts: Breakage['parts'] = (real) => ({
      ...real,
      emit: (event: WorkerEvent) => (event.event === 'clink.stuck' ? undefined : real.emit(event)),
    })
    expect(await isNoticed('P11', /is ended, and it is not told that it was stuck/, { parts })).toBe(true)
  })

  it('that keeps the seat of what it has ended (P11, P1)', async () => {
    // oxlint-disable-next-line typescript/unbound-method -- it is called on what it belongs to
    const { start } = Run.prototype
    vi.spyOn(Run.prototype, 'start').mockImplementation(async function (this: Run) {
      const outcome = await start.call(this)
      const isEnded = outcome.outcome === 'failed' && JSON.stringify(outcome.error).includes(ENDED)
      return await (isEnded ? new Promise(() => {}) : outcome)
    })
    expect(await isNoticed('P1', /could run it|still busy/)).toBe(true)
  })
})
