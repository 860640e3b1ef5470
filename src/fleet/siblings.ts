import { SIBLINGS } from '../ledger/process.ts'
import type { LedgerTables } from '../ledger/tables.ts'

/**
 * What this member has found out about siblings and the fleet does not know. Where members differ, a claim that was granted counts: then nobody claims
 * by id.
 *
 * @param theirs what the fleet knows, by the address of the service.
 */
export function untoldSiblings(
  { facts }: Pick<LedgerTables, 'facts'>,
  theirs: ReadonlyMap<string, string>,
): readonly [url: string, verdict: string] | undefined {
  const [url = '', verdict] = facts.get(SIBLINGS)?.split(' ') ?? []
  const known = theirs.get(url)
  if (verdict === undefined || known === verdict || known === 'granted') return undefined
  return known === undefined || verdict === 'granted' ? [url, verdict] : undefined
}
