import { cpSync } from 'node:fs'
import { StatementSync } from 'node:sqlite'
import { describe, expect, it, vi } from 'vitest'
import type { Ledger } from '../../src/ledger/ledger.ts'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { claim, letter, open, openFile } from '../support/states.ts'

const id = clink.clink_id
const TABLES = ['in_hand', 'attempts', 'results', 'letters', 'cooling', 'own']

function rows(directory: string): Readonly<Record<string, number>> {
  using file = openFile(directory)
  const count = (table: string): number => Number(file.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'])
  return Object.fromEntries(TABLES.map((table) => [table, count(table)]).filter(([, n]) => n !== 0))
}

/** What a start finds when the process is killed now. */
function afterKill<Found>(directory: string, look: (ledger: Ledger) => Found): Found {
  using left = new TempDir()
  for (const name of ['journal.db', 'journal.db-wal']) cpSync(`${directory}/${name}`, `${left.path}/${name}`)
  const next = open(left.path)
  try {
    return look(next.ledger)
  } finally {
    next.close()
  }
}

const known = (ledger: Ledger) => ({
  claims: ledger.process.claims().map(({ releasing }) => (releasing ? 'releasing' : 'held')),
  starts: ledger.attemptsOf(id).starts,
  result: ledger.keptResult(clink)?.response,
})

describe('P5, P9: what has come of a clink in hand is in the row of its claim', () => {
  it('and known to the next start after each step, whenever the process is killed', async () => {
    using directory = new TempDir()
    const { close, ledger } = open(directory.path)
    const found = [afterKill(directory.path, known)]
    const then = async (step: Promise<unknown>): Promise<void> => {
      await step
      found.push(afterKill(directory.path, known))
    }
    await then(ledger.process.hold(claim))
    await then(ledger.begin({ claim }))
    await then(ledger.outcome(id, { is: 'error', message: 'it failed', countsAttempt: true }))
    await then(ledger.begin({ claim }))
    await then(ledger.keepResult(clink, 'answer'))
    await then(ledger.process.hold({ ...claim, releasing: true }))
    await then(ledger.process.drop(id))
    await then(ledger.process.hold(claim))
    await then(ledger.settled(clink))
    close()
    const none = { claims: [], starts: 0, result: undefined }
    expect(found).toEqual([
      none,
      { ...none, claims: ['held'] },
      { ...none, claims: ['held'], starts: 1 },
      { ...none, claims: ['held'], starts: 1 },
      { ...none, claims: ['held'], starts: 2 },
      { claims: ['held'], starts: 2, result: 'answer' },
      { claims: ['releasing'], starts: 2, result: 'answer' },
      { claims: [], starts: 2, result: 'answer' },
      { claims: ['held'], starts: 2, result: 'answer' },
      none,
    ])
    expect(rows(directory.path)).toEqual({})
  })

  it('and gone when it has become a dead letter, but for a result that is still to be sent', async () => {
    using directory = new TempDir()
    const { close, ledger } = open(directory.path)
    const found: unknown[] = []
    for (const keepsResult of [false, true]) {
      await ledger.begin({ claim })
      await ledger.keepResult(clink, 'answer')
      await ledger.deadLetter(letter, keepsResult)
      found.push(afterKill(directory.path, known))
      await ledger.process.drop(id)
      found.push(afterKill(directory.path, known), rows(directory.path))
    }
    close()
    expect(found).toEqual([
      { claims: ['held'], starts: 0, result: undefined },
      { claims: [], starts: 0, result: undefined },
      { letters: 1 },
      { claims: ['held'], starts: 0, result: 'answer' },
      { claims: [], starts: 0, result: 'answer' },
      { letters: 1, results: 1 },
    ])
  })

  it('and goes by a later claim on the same clink', async () => {
    using directory = new TempDir()
    const { close, ledger } = open(directory.path)
    await ledger.begin({ claim })
    // Its code goes on, and the clink is claimed again.
    await ledger.process.hold({ ...claim, releasing: true })
    await ledger.process.hold({ ...claim, sent: 2_000 })
    await ledger.process.codeEnded(id)
    expect(await ledger.begin({ claim: { ...claim, sent: 2_000 } })).toBe(2)
    close()
    expect(rows(directory.path)).toEqual({ in_hand: 1 })
  })
})

it('a clink that simply works is one row, inserted with its start, updated with its result, and deleted', async () => {
  using directory = new TempDir()
  const { close, ledger } = open(directory.path)
  await ledger.process.note({ opened: 'yes' })
  const run = vi.spyOn(StatementSync.prototype, 'run')
  void ledger.process.hold({ ...claim, running: false })
  await ledger.begin({ claim })
  await ledger.keepResult(clink, 'answer')
  await Promise.all([ledger.settled(clink), ledger.process.drop(id)])
  const writes = run.mock.calls.length
  run.mockRestore()
  close()
  const transactions = 3
  expect(writes - 2 * transactions).toBe(3)
  expect(rows(directory.path)).toEqual({})
})
