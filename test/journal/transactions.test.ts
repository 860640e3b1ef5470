import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { TempDir } from '../support/temp-dir.ts'
import { open, openFile } from '../support/states.ts'

const HEADER = 32
const FRAME_HEADER = 24

/** Commits in the write-ahead log: the last frame of each says how large the database is after it, the others say 0. */
function commits(directory: string): number {
  const log = readFileSync(join(directory, 'journal.db-wal'))
  const frame = FRAME_HEADER + log.readUInt32BE(8)
  let count = 0
  for (let at = HEADER; at + frame <= log.length; at += frame) if (log.readUInt32BE(at + 4) > 0) count += 1
  return count
}

it('writes the changes of one turn in one transaction, of whatever clinks they are', async () => {
  using directory = new TempDir()
  const state = open(directory.path)
  await state.ledger.process.note({ opened: 'yes' })
  const before = commits(directory.path)
  await Promise.all(
    Array.from({ length: 200 }, async (_, n) => {
      await Promise.all([state.ledger.begin({ letter: `a${n}` }), state.ledger.addOwn(`o${n}`, n)])
    }),
  )
  expect(commits(directory.path) - before).toBe(1)
  state.close()
})

it('writes changes that wait for each other one after the other', async () => {
  using directory = new TempDir()
  const state = open(directory.path)
  await state.ledger.process.note({ opened: 'yes' })
  const before = commits(directory.path)
  for (let n = 0; n < 5; n += 1) await state.ledger.process.note({ n: String(n) })
  expect(commits(directory.path) - before).toBe(5)
  state.close()
})

it('has written a change when the wait for it is over, where another reader sees it', async () => {
  using directory = new TempDir()
  const state = open(directory.path)
  await state.ledger.process.note({ f: 'v' })
  using file = openFile(directory.path)
  expect(file.prepare("SELECT row FROM facts WHERE id = 'f'").get()).toEqual({ row: '"v"' })
  state.close()
})
