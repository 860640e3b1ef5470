/**
 * What the journal costs a clink: the writes of one clink's life (claimed, started, result, settled) through the ledger, 20 clinks
 * at a time, over memory and over the file with `state.sync: normal` and `full`. One process, in turn, several rounds; the ratio to
 * memory is what to look at. Run: npm run bench
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clink } from '../src/clink/records.ts'
import { openState } from '../src/journal/state.ts'
import { Ledger } from '../src/worker/ledger.ts'
import { memoryTables } from '../src/worker/memory-tables.ts'

const CLINKS = 2_000
const AT_ONCE = 20
const ROUNDS = 5

const clink = (id: number): Clink => ({
  clink_id: `msg_${id}`,
  group_id: 'group',
  sender_id: 'sender',
  sender_name: 'sender',
  content: 'x'.repeat(200),
  created_at: '2026-01-01T00:00:00Z',
  status: 'claimed',
})

async function live(ledger: Ledger, id: number): Promise<void> {
  const one = clink(id)
  const held = { clink: one, route: 'bench', running: false, releasing: false, boot: 'bench', sent: 0, end: 0 }
  await ledger.holdClaim(held)
  await Promise.all([ledger.startAttempt(one.clink_id), ledger.holdClaim({ ...held, running: true })])
  await ledger.keepResult(one, 'an answer')
  await Promise.all([ledger.settled(one.clink_id), ledger.dropClaim(one.clink_id)])
}

async function measure(ledger: Ledger): Promise<number> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < CLINKS) {
      next += 1
      await live(ledger, next)
    }
  }
  const start = process.hrtime.bigint()
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
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
