/**
 * What a start costs with much in the journal: rows of each table in the proportions of a long life, a million in all unless told. Says
 * milliseconds and memory of an opened state beside those of an empty one. A start is to take under a second, and 100 MB more.
 * Run: npm run bench:start [-- ROWS]
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clink } from '../src/clink/records.ts'
import { Journal } from '../src/journal/journal.ts'
import { openState, tablesOf } from '../src/journal/state.ts'
import { clink } from './clink-life.ts'

const AT_ONCE = 10_000

const [command = 'all', where = ''] = process.argv.slice(2)
if (command === 'open') measure(where)
else await all(Number(command) || 1_000_000)

async function all(count: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'clink-worker-bench-'))
  const empty = mkdtempSync(join(tmpdir(), 'clink-worker-bench-'))
  try {
    await fill(directory, count)
    console.log(`${count} rows, a file of ${Math.round(statSync(join(directory, 'journal.db')).size / 1_048_576)} MB`)
    for (const [name, path] of Object.entries({ empty, full: directory })) {
      const { stdout } = spawnSync(process.execPath, [...process.execArgv, import.meta.filename, 'open', path])
      console.log(`${name}: ${String(stdout).trim()}`)
    }
  } finally {
    rmSync(directory, { recursive: true })
    rmSync(empty, { recursive: true })
  }
}

async function fill(directory: string, count: number): Promise<void> {
  const journal = new Journal({ directory, sync: 'normal', onHealth: () => {} })
  const tables = tablesOf(journal)
  const now = Date.now()
  const reason = 'it failed'
  const errors = [reason]
  const add = async (id: string, part: number, one: Clink): Promise<void> => {
    if (part < 60) await tables.own.set(id, now)
    else if (part < 75) await tables.attempts.set(id, { count: 1, errors, crashes: 0, at: now })
    else if (part < 90) await tables.cooling.set(id, { at: now + 3_600_000, for: 3_600_000 })
    else if (part < 95)
      await tables.letters.set(id, { clink: one, route: 'work', attempts: 5, reason, errors, tell: 'release', at: now })
    else await tables.results.set(id, { content: one.content, response: 'an answer', leases: 0, at: now })
  }
  let writes: Promise<void>[] = []
  for (let n = 0; n < count; n += 1) {
    writes.push(add(`msg_${n}`, n % 100, clink(n)))
    if (writes.length < AT_ONCE) continue
    await Promise.all(writes)
    writes = []
  }
  await Promise.all(writes)
  journal.close()
}

function measure(directory: string): void {
  const before = process.memoryUsage.rss()
  const start = performance.now()
  const state = openState({ directory, sync: 'normal', onHealth: () => {} })
  const took = performance.now() - start
  const after = process.memoryUsage.rss()
  state.close()
  console.log(`${Math.round(took)} ms, ${Math.round((after - before) / 1_048_576)} MB more`)
}
