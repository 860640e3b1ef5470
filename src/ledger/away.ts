import type { Ledger } from './ledger.ts'

/** What cannot be written, for people, where something cannot. */
export function whatIsAway(ledger: Pick<Ledger, 'isKept'>): string {
  return ledger.isKept() ? 'the shared store is away' : 'the journal cannot be written'
}
