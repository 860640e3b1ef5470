/**
 * What the journal costs a clink: the writes of one clink's life (claimed, started, result, settled) through the ledger, 20 clinks
 * at a time, over memory and over the file with `state.sync: normal` and `full`. One process, in turn, several rounds; the ratio to
 * memory is what to look at. Run: npm run bench:journal
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openState } from '../src/journal/state.ts'
import { Ledger } from '../src/ledger/ledger.ts'
import { memoryTables } from '../src/ledger/memory-tables.ts'
import { liveThrough } from './clink-life.ts'

const CLINKS = 2_000
const AT_ONCE = 20
const ROUNDS = 5

async function measure(ledger: Ledger): Promise<number> {
  const start = process.hrtime.bigint()
  await liveThrough(ledger, { from: 1, to: CLINKS, atOnce: AT_ONCE })
  return Number(process.hrtime.bigint() - start) / 1_000 / CLINKS
}

async function withFile(sync: 'normal' | 'full'): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'clink-worker-bench-'))
  const state = openState({ directory, sync, onHealth: () => {} })
  try {
    return await measure(state.ledger)
  } finally {
    state.close()
    rmSync(directory, { recursive: true })
  }
}

const kinds: readonly (readonly [string, () => Promise<number>])[] = [
  ['memory', async () => await measure(new Ledger(memoryTables()))],
  ['normal', async () => await withFile('normal')],
  ['full', async () => await withFile('full')],
]
const samples = new Map<string, number[]>()
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const [name, run] of kinds) {
    const value = await run()
    if (round > 0) samples.set(name, [...(samples.get(name) ?? []), value])
  }
}
const median = (name: string): number => (samples.get(name) ?? []).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0
for (const [name] of kinds) {
  const ratio = (median(name) / median('memory')).toFixed(1)
  console.log(`${name.padEnd(8)} ${median(name).toFixed(1).padStart(8)} µs a clink   ${ratio} × memory`)
}
