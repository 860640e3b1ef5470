import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { tryTo } from '../../src/base/try-to.ts'
import { backUp, copiesBeside, journalFacts, notedFact, restore } from '../../src/journal/copies.ts'
import { JOURNAL_VERSION } from '../../src/journal/migrations.ts'
import { clink } from '../support/sample-records.ts'
import { claim, letter, open, openFile } from '../support/states.ts'
import { TempDir } from '../support/temp-dir.ts'
import { thrownBy } from '../support/thrown.ts'

let directory: TempDir
let journal: string

const at = (name: string): string => join(directory.path, name)
const named = (name: string) => ({ ...clink, clink_id: name })
const unusable = (text: string): unknown =>
  expect.objectContaining({ code: 'STATE_UNUSABLE', message: expect.stringContaining(text) })

/** A worker was here, and gave up one clink. */
async function written(): Promise<void> {
  const state = open(directory.path)
  await state.ledger.deadLetter(letter)
  state.close()
}

beforeEach(() => {
  directory = new TempDir()
  journal = at('journal.db')
})

afterEach(() => directory[Symbol.dispose]())

describe('what a journal holds', () => {
  it('is told by kinds, without what is only remembered', async () => {
    const state = open(directory.path)
    const { ledger } = state
    await Promise.all(['a', 'b'].map(async (id) => await ledger.deadLetter({ ...letter, clink: named(id) })))
    await ledger.letters.discard('b')
    await ledger.keepResult(named('kept'), 'x')
    await ledger.settled(named('sent'), 'sent')
    await ledger.process.hold(claim)
    await ledger.begin({ letter: 'tried' })
    await ledger.cooling.set('cools', 60_000)
    await ledger.addOwn('own', 1)
    await ledger.steps.keep(clink, { is: 'step', name: 'plan', value: '1' })
    await ledger.late.keep({ clink, route: 'r', attempt: 1, why: 'late', outcome: 'done', at: 1 })
    await ledger.process.park({ ...claim, why: 'paused' })
    await ledger.process.programs.note({ clinkId: 'a', boot: 'b', group: { id: 1, started: '1', run: 'r' } })
    state.close()
    expect(journalFacts(journal)).toEqual({
      file: journal,
      bytes: statSync(journal).size,
      version: JOURNAL_VERSION,
      rows: {
        letters: 1,
        results: 1,
        late: 1,
        in_hand: 1,
        parked: 1,
        attempts: 1,
        cooling: 1,
        own: 1,
        steps: 1,
        programs: 1,
      },
    })
  })

  it('has what has come of clinks in hand among the rest, each clink once', async () => {
    const state = open(directory.path)
    const { ledger } = state
    const held = { ...claim, clink: named('held') }
    await ledger.begin({ claim: held })
    await ledger.keepResult(held.clink, 'x')
    await ledger.begin({ claim: { ...claim, clink: named('running') } })
    await ledger.process.hold({ ...claim, clink: named('waits') })
    await ledger.keepResult(named('kept'), 'y')
    state.close()
    expect(journalFacts(journal).rows).toMatchObject({ results: 2, in_hand: 3, attempts: 2 })
  })

  it('of an earlier version lacks what that did not know', async () => {
    await written()
    {
      using file = openFile(directory.path)
      file.exec('DROP TABLE steps; DROP TABLE in_hand; PRAGMA user_version = 1')
    }
    const { rows, version } = journalFacts(journal)
    expect([version, 'steps' in rows, rows['letters']]).toEqual([1, false, 1])
  })

  it('is told by no file that is none, is damaged, or is not there', () => {
    writeFileSync(at('text'), 'no journal '.repeat(1_000))
    openFile(directory.path, 'empty.db').close()
    expect(thrownBy(() => journalFacts(at('text')))).toEqual(
      unusable(`${at('text')} cannot be read as a worker's journal: file is not a database`),
    )
    expect(thrownBy(() => journalFacts(at('empty.db')))).toEqual(unusable('it is no journal of a worker'))
    expect(thrownBy(() => journalFacts(at('none')))).toMatchObject({ code: 'STATE_UNUSABLE', cause: expect.any(Error) })
    expect(existsSync(at('none'))).toBe(false)
  })

  it('is not told where a part of it is damaged', async () => {
    await written()
    const whole = readFileSync(journal)
    writeFileSync(journal, whole.fill(0x5a, whole.length / 2))
    expect(thrownBy(() => journalFacts(journal))).toEqual(unusable('it is damaged: '))
  })
})

it('a fact is read without taking the directory, and what is none is not', async () => {
  const state = open(directory.path)
  await state.ledger.process.note({ name: 'value' })
  expect([notedFact(directory.path, 'name'), notedFact(directory.path, 'other')]).toEqual(['value', undefined])
  state.close()
  {
    using file = openFile(directory.path)
    file.exec("INSERT INTO facts (id, row) VALUES ('number', '7'), ('none', 'no JSON'), ('bytes', x'00')")
  }
  expect(['number', 'none', 'bytes'].map((name) => notedFact(directory.path, name))).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(thrownBy(() => notedFact(at('nowhere'), 'name'))).toMatchObject({ code: 'STATE_UNUSABLE' })
})

it('copies beside a journal are those from before a migration or a restoration, without what belongs to them', () => {
  const copies = ['journal.db.v3', 'journal.db.v12', 'journal.db.before-2026']
  const others = ['journal.db', 'journal.db.v', 'journal.db.v3x', 'my-journal.db.v3', 'journal.db.before-2026-wal']
  for (const name of [...copies, ...others, 'journal.db.before-2026-shm']) writeFileSync(at(name), '')
  expect([...copiesBeside(directory.path)].sort()).toEqual(copies.map(at).sort())
})

describe('a backup', () => {
  it('holds all of it, for its owner only', async () => {
    await written()
    backUp(directory.path, at('kept.db'))
    expect(journalFacts(at('kept.db')).rows['letters']).toBe(1)
    expect(statSync(at('kept.db')).mode & 0o777).toBe(0o600)
  })

  it('is a new file, and none is left where there is nothing to back up', async () => {
    const usage = (text: string): unknown => expect.objectContaining({ code: 'USAGE', message: text })
    writeFileSync(at('there'), 'mine')
    await written()
    expect(thrownBy(() => backUp(directory.path, at('there')))).toEqual(
      usage(`${at('there')}: there is such a file already; a backup is written to a new one`),
    )
    expect(readFileSync(at('there'), 'utf8')).toBe('mine')
    expect(thrownBy(() => backUp(directory.path, at('no/place')))).toEqual(
      usage(expect.stringMatching(`^${at('no/place')}: no file can be written there: ENOENT`) as string),
    )
    expect(thrownBy(() => backUp(at('nowhere'), at('kept.db')))).toMatchObject({ code: 'STATE_UNUSABLE' })
    expect(existsSync(at('kept.db'))).toBe(false)
  })
})

describe('a copy that is restored', () => {
  beforeEach(async () => {
    await written()
    backUp(directory.path, at('kept.db'))
    const state = open(directory.path)
    await state.ledger.deadLetter({ ...letter, clink: named('later') })
    state.close()
  })

  it('is taken for another worker’s, and the journal that was there stays beside it (P1)', () => {
    const before = restore(directory.path, at('kept.db'))
    expect(before).toMatch(/journal\.db\.before-\d{4}-\d\d-\d\dT\d{9}Z$/)
    expect(copiesBeside(directory.path)).toEqual([before])
    expect([journalFacts(journal), journalFacts(before ?? '')].map(({ rows }) => rows['letters'])).toEqual([1, 2])
    expect(statSync(journal).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory.path).filter((name) => name.includes('restoring'))).toEqual([])
    const state = open(directory.path)
    expect([state.isOurs, state.ledger.letters.count]).toEqual([false, 1])
    state.close()
  })

  it('leaves nothing aside where no journal was', () => {
    expect(restore(at('new'), at('kept.db'))).toBeUndefined()
    expect(readdirSync(at('new')).sort()).toEqual(['journal.db', 'lock.db'])
  })

  it('may be read by nobody else, even where a try before has left something', () => {
    writeFileSync(at('journal.db.restoring'), 'left')
    for (const name of ['journal.db.restoring', 'kept.db']) chmodSync(at(name), 0o644)
    restore(directory.path, at('kept.db'))
    expect(statSync(journal).mode & 0o777).toBe(0o600)
  })

  it.runIf(process.getuid?.() === 0)('belongs to whom the directory belongs to, though root restores it', () => {
    chownSync(directory.path, 12_345, 23_456)
    restore(directory.path, at('kept.db'))
    const owners = [journal, at('lock.db')].map((file) => [statSync(file).uid, statSync(file).gid])
    expect(owners).toEqual([
      [12_345, 23_456],
      [12_345, 23_456],
    ])
  })

  it.runIf(process.getuid?.() === 0)('stays whose it is where another user restores it', () => {
    const before = statSync(at('kept.db')).uid
    chownSync(directory.path, 12_345, 23_456)
    vi.spyOn(process, 'getuid').mockReturnValue(1_000)
    restore(directory.path, at('kept.db'))
    expect(statSync(journal).uid).toBe(before)
  })

  it('is another worker’s also where it is the file of a journal as it was', () => {
    copyFileSync(journal, at('as it was.db'))
    restore(directory.path, at('as it was.db'))
    const state = open(directory.path)
    expect([state.isOurs, state.ledger.letters.count]).toEqual([false, 2])
    state.close()
  })

  it('may be that of a worker that was killed, which a restoration has put aside: all of it comes back (P1)', async () => {
    const state = open(directory.path)
    await state.ledger.deadLetter({ ...letter, clink: named('last') })
    const left = ['', '-wal', '-shm'].map((end) => [`${journal}${end}`, at(`left${end}`)] as const)
    for (const [file, copy] of left) copyFileSync(file, copy)
    state.close()
    for (const [file, copy] of left) copyFileSync(copy, file)
    const before = restore(directory.path, at('kept.db')) ?? ''
    restore(directory.path, before)
    expect(journalFacts(journal).rows['letters']).toBe(3)
  })

  it('leaves no file of it open', () => {
    restore(directory.path, at('kept.db'))
    journalFacts(journal)
    const opened = readdirSync('/proc/self/fd').map((fd) => tryTo(() => readlinkSync(`/proc/self/fd/${fd}`)))
    expect(opened.filter((file) => file?.startsWith(directory.path))).toEqual([])
  })

  it('keeps the log of a journal that is damaged with that', () => {
    writeFileSync(journal, 'no journal '.repeat(1_000))
    writeFileSync(`${journal}-wal`, 'its log')
    const before = restore(directory.path, at('kept.db')) ?? ''
    expect([readFileSync(before, 'utf8').slice(0, 10), readFileSync(`${before}-wal`, 'utf8')]).toEqual([
      'no journal',
      'its log',
    ])
    expect(journalFacts(journal).rows['letters']).toBe(1)
  })

  it('is refused where it was written by a later version, or a worker is here, and nothing changes', () => {
    const state = open(directory.path)
    expect(thrownBy(() => restore(directory.path, at('kept.db')))).toMatchObject({ code: 'STATE_BUSY' })
    state.close()
    {
      using file = openFile(directory.path, 'kept.db')
      file.exec(`PRAGMA user_version = ${JOURNAL_VERSION + 1}`)
    }
    expect(thrownBy(() => restore(directory.path, at('kept.db')))).toEqual(
      unusable(
        `${at('kept.db')} was written by a newer clink-worker (its version is ${JOURNAL_VERSION + 1}, this one knows ${JOURNAL_VERSION}): restore it with that one`,
      ),
    )
    expect([journalFacts(journal).rows['letters'], copiesBeside(directory.path)]).toEqual([2, []])
  })

  it('leaves the directory free, also where it could not be put there', () => {
    expect(thrownBy(() => restore(directory.path, at('none')))).toMatchObject({ code: 'STATE_UNUSABLE' })
    restore(directory.path, at('kept.db'))
    open(directory.path).close()
  })
})
