/**
 * How large the journal is after how many clinks: a worker that answers a clink every 7.8 seconds for three months, 20 at a time, with
 * `state.keep: 14d`, on a clock that is moved along. Said after each tenth: rows, bytes of the file and of its log, and memory in use.
 * Run: npm run bench:size [-- CLINKS], a million unless told (some three minutes).
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Journal } from '../src/journal/journal.ts'
import { tablesOf } from '../src/journal/state.ts'
import { Ledger } from '../src/ledger/ledger.ts'
import { liveThrough } from './clink-life.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const LASTS = 90 * DAY
const KEEP = 14 * DAY
const AT_ONCE = 20
const PARTS = 10

const clinks = Number(process.argv[2] ?? 1_000_000)
const directory = mkdtempSync(join(tmpdir(), 'clink-worker-bench-'))
const journal = new Journal({ directory, sync: 'normal', onHealth: () => {} })
const tables = tablesOf(journal)
let now = Date.now()
const ledger = new Ledger(
  tables,
  () => true,
  () => now,
)
let prunedAt = now

/** Its answer is one of our own clinks; each hour the worker forgets what it may. */
async function ended(id: number): Promise<void> {
  await ledger.addOwn(`msg_answer_${id}`, now)
  now += LASTS / clinks
  if (now < prunedAt + HOUR) return
  prunedAt = now
  await ledger.sightings.looked([])
  await ledger.prune(KEEP)
}

const megabytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(1).padStart(6)} MB`
const sizeOf = (name: string): number => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0

try {
  for (let part = 1; part <= PARTS; part += 1) {
    const from = Math.floor((clinks * (part - 1)) / PARTS) + 1
    const to = Math.floor((clinks * part) / PARTS)
    await liveThrough(ledger, { from, to, atOnce: AT_ONCE, ended })
    const rows = Object.values(tables).reduce((sum, table) => sum + ('size' in table ? table.size : 0), 0)
    const { heapUsed } = process.memoryUsage()
    console.log(
      `${String(to).padStart(9)} clinks: ${String(rows).padStart(7)} rows, file ${megabytes(sizeOf('journal.db'))}, ` +
        `log ${megabytes(sizeOf('journal.db-wal'))}, heap ${megabytes(heapUsed)}`,
    )
  }
} finally {
  journal.close()
  rmSync(directory, { recursive: true })
}
