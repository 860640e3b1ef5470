import type { Ledger } from './ledger.ts'
import type { Memory } from './memory.ts'

/** Why a rerun waits for another member, for people. */
export const ELSEWHERE =
  'another worker of the fleet has begun to run it again: where that one is gone for good, `clink-worker failed retry` takes it over'

/** What cannot be written, for people, where something cannot. */
export function whatIsAway(ledger: Pick<Ledger, 'isKept'>): string {
  return ledger.isKept() ? 'the shared store is away' : 'the journal cannot be written'
}

/** Why what is in hand may not be started, for people. */
export function whatKeeps(memory: Memory, ledger: Pick<Ledger, 'isHealthy' | 'isKept' | 'letters'>): string {
  return ledger.isHealthy && ledger.letters.isElsewhere(memory) ? ELSEWHERE : whatIsAway(ledger)
}
