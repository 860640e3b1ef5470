/**
 * What the journal costs a clink: the writes of one clink's life (claimed, started, result, settled) through the ledger, so many clinks
 * at a time, over memory and over the file with `state.sync: normal` and `full`. One process, in turn, several rounds, medians: CPU of the
 * process, time, and commits. What memory costs is the ledger itself. Run: npm run bench:journal [-- ROUNDS]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Journal } from '../src/journal/journal.ts'
import { tablesOf } from '../src/journal/state.ts'
import { Ledger } from '../src/ledger/ledger.ts'
import { memoryTables } from '../src/ledger/memory-tables.ts'
import { liveThrough } from './clink-life.ts'

const CLINKS = 4_000
const ROUNDS = Number(process.argv[2] ?? 5)

interface Sample {
  /** Microseconds a clink. */
  readonly cpu: number
  readonly time: number
  /** A clink. */
  readonly commits: number
}

async function measure(ledger: Ledger, atOnce: number, commits = (): number => 0): Promise<Sample> {
  const { user, system } = process.cpuUsage()
  const [start, before] = [performance.now(), commits()]
  await liveThrough(ledger, { from: 1, to: CLINKS, atOnce })
  const used = process.cpuUsage()
  return {
    cpu: (used.user - user + used.system - system) / CLINKS,
    time: ((performance.now() - start) * 1_000) / CLINKS,
    commits: (commits() - before) / CLINKS,
  }
}

async function withFile(sync: 'normal' | 'full', atOnce: number): Promise<Sample> {
  const directory = mkdtempSync(join(tmpdir(), 'clink-worker-bench-'))
  let commits = 0
  const schedule = (commit: () => void): (() => void) => {
    const turn = setImmediate(() => {
      commits += 1
      commit()
    })
    return () => clearImmediate(turn)
  }
  const journal = new Journal({ directory, sync, onHealth: () => {}, schedule })
  try {
    return await measure(new Ledger(tablesOf(journal)), atOnce, () => commits)
  } finally {
    journal.close()
    rmSync(directory, { recursive: true })
  }
}

const kinds: readonly (readonly [string, () => Promise<Sample>])[] = [10, 20, 50].flatMap(
  (atOnce) =>
    [
      [`memory, ${atOnce} at once`, async () => await measure(new Ledger(memoryTables()), atOnce)],
      [`normal, ${atOnce} at once`, async () => await withFile('normal', atOnce)],
      [`full, ${atOnce} at once`, async () => await withFile('full', atOnce)],
    ] as const,
)
const samples = new Map<string, Sample[]>()
for (let round = 0; round <= ROUNDS; round += 1) {
  for (const [name, run] of kinds) {
    const sample = await run()
    if (round > 0) samples.set(name, [...(samples.get(name) ?? []), sample])
  }
}
function median(name: string, value: (sample: Sample) => number): string {
  const sorted = (samples.get(name) ?? []).map(value).sort((a, b) => a - b)
  return (sorted[Math.floor(ROUNDS / 2)] ?? 0).toFixed(2).padStart(9)
}
for (const [name] of kinds) {
  const [cpu, time, commits] = [
    median(name, (one) => one.cpu),
    median(name, (one) => one.time),
    median(name, (one) => one.commits),
  ]
  console.log(`${name.padEnd(20)} ${cpu} µs of CPU a clink, ${time} µs, ${commits} commits`)
}
