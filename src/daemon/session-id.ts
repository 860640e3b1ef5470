import { randomBytes } from 'node:crypto'
import type { Ledger } from '../ledger/ledger.ts'

/** Workers that are given the same session still need one each, and one that starts again needs the one it had. */
export function sessionId(configured: string, ledger: Ledger, isOurs: boolean): string {
  const kept = isOurs ? ledger.process.fact('session') : undefined
  const own = kept ?? randomBytes(8).toString('hex')
  if (kept === undefined) void ledger.process.note({ session: own })
  return `${configured === 'auto' ? 'clink-worker' : configured}-${own}`
}
