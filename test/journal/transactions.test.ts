import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StatementSync } from 'node:sqlite'
import { expect, it, vi } from 'vitest'
import { Bench, until } from '../support/harness.ts'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { open, openFile, recalled } from '../support/states.ts'

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

it('writes a clink that starts at once in three transactions: its start, its result and its end', async () => {
  using directory = new TempDir()
  const state = open(directory.path)
  await using bench = await Bench.open()
  const worker = bench.work(() => 'done', { ledger: state.ledger })
  const done = (): number => worker.events.filter(({ event }) => event === 'clink.completed').length
  // The first one's claim and answer tell facts that are kept as well.
  bench.send('first')
  await until(
    () => done() === 1,
    () => 'the first is done',
  )
  const before = commits(directory.path)
  bench.send('second')
  await until(
    () => done() === 2,
    () => 'the second is done',
  )
  expect(commits(directory.path) - before).toBe(3)
  state.close()
})

it('reads a row that it was asked for once, and knows what has become of it since', async () => {
  using directory = new TempDir()
  const state = open(directory.path)
  await state.ledger.addOwn('mine', 1)
  state.close()
  const again = open(directory.path)
  const get = vi.spyOn(StatementSync.prototype, 'get')
  for (let count = 0; count < 3; count += 1) {
    expect([(await recalled(again.ledger, 'mine')).isOwn, (await recalled(again.ledger, 'other')).isOwn]).toEqual([
      true,
      false,
    ])
  }
  const read = get.mock.calls.length
  await again.ledger.settled({ ...clink, clink_id: 'mine' })
  await again.ledger.addOwn('other', 2)
  expect([(await recalled(again.ledger, 'mine')).isOwn, (await recalled(again.ledger, 'other')).isOwn]).toEqual([
    false,
    true,
  ])
  again.close()
  expect(read).toBeLessThanOrEqual(6)
})

it('deletes a row that cannot be believed', async () => {
  using directory = new TempDir()
  open(directory.path).close()
  {
    using file = openFile(directory.path)
    file.exec("INSERT INTO own (id, row, at) VALUES ('odd', '\"no time\"', 1), ('other', '1', 1)")
  }
  const state = open(directory.path)
  expect((await recalled(state.ledger, 'odd')).isOwn).toBe(false)
  await state.ledger.settled({ ...clink, clink_id: 'odd' })
  state.close()
  using file = openFile(directory.path)
  expect(file.prepare('SELECT id FROM own').all()).toEqual([{ id: 'other' }])
})
