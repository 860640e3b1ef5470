import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Journal, type JournalOptions } from '../../src/journal/journal.ts'
import type { JournalTable } from '../../src/journal/table.ts'
import { SmallDisk } from '../support/small-disk.ts'
import type { Health } from '../support/states.ts'
import { TempDir } from '../support/temp-dir.ts'
import { thrownBy } from '../support/thrown.ts'

let directory: TempDir
let file: string
let journal: Journal
let facts: JournalTable<string, never>
let told: Health[]
/** What is to be carried out, and after how many milliseconds. */
let due: { readonly commit: () => void; readonly wait: number }[]

function opened(more: Partial<JournalOptions> = {}): Journal {
  return new Journal({
    directory: directory.path,
    sync: 'normal',
    onHealth: (problem) => told.push(problem),
    schedule: (commit, wait) => {
      const one = { commit, wait }
      due.push(one)
      return () => (due = due.filter((other) => other !== one))
    },
    ...more,
  })
}

const asText = (row: unknown): string | undefined => (typeof row === 'string' ? row : undefined)
const factsOf = (of: Journal) => of.table('facts', {}, asText)
/** What is due is carried out. */
const turn = (): void => due.splice(0).forEach(({ commit }) => commit())
/** What another reader sees. */
function written(): Record<string, unknown> {
  using reader = new DatabaseSync(file, { readOnly: true })
  const rows = reader.prepare('SELECT id, row FROM facts ORDER BY id').all()
  return Object.fromEntries(rows.map(({ id, row }) => [String(id), row]))
}
const isOpen = async (promise: Promise<void>): Promise<boolean> =>
  await Promise.race([promise.then(() => false), new Promise<boolean>((done) => setImmediate(done, true))])

beforeEach(() => {
  directory = new TempDir()
  file = join(directory.path, 'journal.db')
  told = []
  due = []
  journal = opened()
  facts = factsOf(journal)
})

afterEach(() => {
  journal.close()
  directory[Symbol.dispose]()
})

describe('changes', () => {
  it('of one turn are one commit, for which all of them wait, in whatever table', async () => {
    const late = journal.table('late', {}, asText)
    const first = facts.set('a', '1')
    expect([facts.set('b', '2') === first, late.set('c', '3') === first]).toEqual([true, true])
    expect(due.map(({ wait }) => wait)).toEqual([0])
    expect([await isOpen(first), written()]).toEqual([true, {}])
    turn()
    await first
    expect(written()).toEqual({ a: '"1"', b: '"2"' })
    const next = facts.set('a', '4')
    expect(next).not.toBe(first)
    turn()
    await next
    expect(written()).toMatchObject({ a: '"4"' })
    expect(told).toEqual([])
  })

  it('of a turn that ends with the journal are written by its close, and later ones are nobody’s any more', async () => {
    const left = facts.set('a', '1')
    journal.close()
    expect(written()).toEqual({ a: '"1"' })
    const later = facts.set('b', '2')
    turn()
    await Promise.all([left, later])
    expect([written(), told]).toEqual([{ a: '"1"' }, []])
    journal = opened()
  })

  it('are carried out by themselves at the end of the turn', async () => {
    journal.close()
    journal = opened({ schedule: undefined } as object)
    await factsOf(journal).set('a', '1')
    expect(written()).toEqual({ a: '"1"' })
  })
})

describe('a journal that cannot be written', () => {
  const takeAway = (name: string): void => {
    using other = new DatabaseSync(file)
    other.exec(`ALTER TABLE ${name} RENAME TO away`)
  }
  const bringBack = (name: string): void => {
    using other = new DatabaseSync(file)
    other.exec(`ALTER TABLE away RENAME TO ${name}`)
  }

  it('says so once, lets its writers go on, tries again each second, and writes all of it then (P1, P5)', async () => {
    const late = journal.table('late', {}, asText)
    takeAway('late')
    const first = Promise.all([facts.set('a', '1'), late.set('b', '2')])
    turn()
    await first
    expect([journal.isHealthy, journal.problem, told]).toEqual([false, 'no such table: late', ['no such table: late']])
    // Nothing of what was changed together is written alone.
    expect(written()).toEqual({})
    await facts.set('c', '3')
    expect(due.map(({ wait }) => wait)).toEqual([1_000])
    turn()
    expect([due.length, told.length, facts.get('c'), late.get('b')]).toEqual([1, 1, '3', '2'])
    bringBack('late')
    turn()
    expect([journal.isHealthy, told, due]).toEqual([true, ['no such table: late', undefined], []])
    expect([written(), late.size]).toEqual([{ a: '"1"', c: '"3"' }, 1])
  })

  it('counts as one where a read fails, and no more than one try is under way', async () => {
    void facts.set('a', '1')
    turn()
    journal.close()
    journal = opened()
    facts = factsOf(journal)
    takeAway('facts')
    expect([facts.get('a'), facts.get('b'), facts.size]).toEqual([undefined, undefined, 0])
    expect([told, due.length]).toEqual([['no such table: facts'], 1])
    bringBack('facts')
    turn()
    expect([told.at(-1), facts.get('a')]).toEqual([undefined, '1'])
  })

  it('tries no more once it is closed', () => {
    takeAway('facts')
    void facts.set('a', '1')
    turn()
    expect(due).toHaveLength(1)
    bringBack('facts')
    journal.close()
    expect([due, written()]).toEqual([[], { a: '"1"' }])
    journal = opened()
  })
})

describe('a file', () => {
  it('that is damaged is refused with advice, and stays as it is', () => {
    journal.close()
    const whole = readFileSync(file)
    const spoiled = Buffer.from(whole).fill(0x5a, whole.length / 2)
    const advice =
      /is damaged\. Move it away to start with an empty one \(attempts, dead letters and unsent results in it are then lost\), or restore a copy$/
    for (const content of [spoiled, Buffer.from('no journal '.repeat(1_000))]) {
      writeFileSync(file, content)
      expect(thrownBy(opened)).toMatchObject({
        code: 'STATE_UNUSABLE',
        message: expect.stringMatching(advice),
        cause: expect.any(Error),
      })
      expect(readFileSync(file)).toEqual(content)
    }
    writeFileSync(file, whole)
    journal = opened()
  })

  it('that has no such table is refused', () => {
    expect(thrownBy(() => journal.table('other', {}, asText))).toMatchObject({
      code: 'STATE_UNUSABLE',
      message: `the journal ${file} cannot be opened: no such table: other`,
    })
  })

  it('of a later version is refused as such', () => {
    journal.close()
    {
      using other = new DatabaseSync(file)
      other.exec('PRAGMA user_version = 9999')
    }
    expect(thrownBy(opened)).toMatchObject({ message: expect.stringContaining('was written by a newer clink-worker') })
    {
      using other = new DatabaseSync(file)
      other.exec('PRAGMA user_version = 1')
    }
    directory[Symbol.dispose]()
    directory = new TempDir()
    journal = opened()
  })

  it('is private, and so is what is beside it', () => {
    void facts.set('a', '1')
    turn()
    const modes = ['', '-wal', '-shm'].map((end) => statSync(`${file}${end}`).mode & 0o777)
    expect(modes).toEqual([0o600, 0o600, 0o600])
  })
})

describe('the log beside the file', () => {
  const grow = (count: number): void => {
    for (let n = 0; n < count; n += 1) {
      void facts.set(`fact ${n % 10}`, String(n))
      turn()
    }
  }
  const inTurn = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve))

  it('is carried over into the file after 250 commits, and begins anew then', async () => {
    grow(240)
    const before = statSync(file).mtimeMs
    await inTurn()
    expect(statSync(file).mtimeMs).toBe(before)
    grow(10)
    await inTurn()
    expect(statSync(file).mtimeMs).toBeGreaterThan(before)
    const { size } = statSync(`${file}-wal`)
    grow(100)
    expect(statSync(`${file}-wal`).size).toBe(size)
  })

  it('is gone with a close, which leaves all in the file', () => {
    grow(3)
    journal.close()
    expect([existsSync(`${file}-wal`), Object.keys(written())]).toEqual([false, ['fact 0', 'fact 1', 'fact 2']])
    journal = opened()
  })

  it('takes no more than a quarter of what a small disk has left', (context) => {
    using disk = new SmallDisk(context, '4m')
    const small = opened({ directory: join(disk.state, '..') })
    const rows = factsOf(small)
    const log = join(disk.state, '../journal.db-wal')
    let longest = 0
    for (let n = 0; n < 400; n += 1) {
      void rows.set(`fact ${n % 10}`, 'x'.repeat(5_000))
      turn()
      longest = Math.max(longest, statSync(log).size)
    }
    small.close()
    expect([longest < 1_048_576, told]).toEqual([true, []])
  })
})
