import { spawnSync } from 'node:child_process'
import { chmodSync, closeSync, existsSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { claim, letter, open, openFile, refusal, recalled } from '../support/states.ts'

/** A directory with a journal in which every kind of row was written. */
async function written(directory: string): Promise<void> {
  const state = open(directory)
  const { ledger } = state
  await ledger.deadLetter({ ...letter, clink: { ...clink, clink_id: 'dead' } })
  await Promise.all([
    ledger.begin({ letter: 'a' }),
    ledger.keepResult(clink, 'answer'),
    ledger.cooling.set('a', 600_000),
    ledger.addOwn('a', 1),
    ledger.process.hold(claim),
    ledger.process.note({ a: 'v' }),
  ])
  state.close()
}

function insert(directory: string, table: string, id: string, row: unknown): void {
  using file = openFile(directory)
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))
  if (table !== 'in_hand') file.prepare(`INSERT INTO ${table} (id, row) VALUES (?, ?)`).run(id, text(row))
  else {
    const { attempts = null, claim: of, clink: one, result = null } = Object(row)
    const values = [of, one].map(text)
    file
      .prepare('INSERT INTO in_hand (claim, clink, attempts, result) VALUES (?, ?, ?, ?)')
      .run(...values, attempts, result)
  }
}

describe('a row that does not fit', () => {
  it.each([
    ['attempts', { count: 'three', errors: [], crashes: 0 }],
    ['attempts', { count: 3 }],
    ['results', { content: 1, leases: 0 }],
    ['letters', { ...letter, clink: { clink_id: 'bad' } }],
    ['letters', { ...letter, tell: 'nobody' }],
    ['in_hand', { clink, claim: { ...claim, end: null } }],
    ['in_hand', { clink: null, claim }],
    ['in_hand', { clink, claim, attempts: '{"count":"three"}' }],
    ['in_hand', { clink, claim, result: 'this is not JSON' }],
    ['cooling', 'true'],
    ['own', '{}'],
    ['facts', '7'],
    ['facts', 'this is not JSON'],
    ['in_hand', { clink, claim: '' }],
  ])('is dropped from %s, and the others are kept: %j', async (table, row) => {
    using directory = new TempDir()
    await written(directory.path)
    insert(directory.path, table, 'bad', row)
    const state = open(directory.path)
    const { ledger } = state
    const bad = { ...clink, clink_id: 'bad' }
    expect([
      (await recalled(ledger, 'bad')).isGivenUp,
      (await recalled(ledger, 'bad')).isCooling,
      (await recalled(ledger, 'bad')).isOwn,
    ]).toEqual([false, false, false])
    expect([ledger.process.fact('bad'), ledger.keptResult(bad)]).toEqual([undefined, undefined])
    expect(await ledger.begin({ letter: 'bad' })).toBe(1)
    expect(await ledger.begin({ letter: 'a' })).toBe(2)
    expect(ledger.keptResult(clink)?.response).toBe('answer')
    expect([
      (await recalled(ledger, 'dead')).isGivenUp,
      (await recalled(ledger, 'a')).isCooling,
      (await recalled(ledger, 'a')).isOwn,
    ]).toEqual([true, true, true])
    expect(ledger.process.claims()).toEqual([claim])
    expect(ledger.process.fact('a')).toBe('v')
    state.close()
    using file = openFile(directory.path)
    expect(file.prepare('SELECT count(*) AS n FROM in_hand').get()).toEqual({ n: 1 })
  })
})

it('refuses a journal of a newer version, says so, and leaves it as it was', async () => {
  using directory = new TempDir()
  await written(directory.path)
  {
    using file = openFile(directory.path)
    file.exec('PRAGMA user_version = 99')
  }
  const { code, message } = refusal(directory.path)
  expect(code).toBe('STATE_UNUSABLE')
  expect(message).toMatch(/newer clink-worker/)
  expect(message).toContain('99')
  expect(message).toContain(join(directory.path, 'journal.db'))
  using file = openFile(directory.path)
  expect(file.prepare('PRAGMA user_version').get()).toEqual({ user_version: 99 })
  expect(file.prepare('SELECT count(*) AS n FROM letters').get()).toEqual({ n: 1 })
})

describe('a damaged journal', () => {
  it('that is no database is refused with advice, and stays as it is', () => {
    using directory = new TempDir()
    const file = join(directory.path, 'journal.db')
    const text = 'this was a journal once. '.repeat(1_000)
    writeFileSync(file, text)
    const { code, message } = refusal(directory.path)
    expect(code).toBe('STATE_UNUSABLE')
    expect(message).toContain(file)
    expect(message).toMatch(/damaged\. Move it away/)
    expect(readFileSync(file, 'utf8')).toBe(text)
  })

  it('whose pages were overwritten is refused with advice, and stays as it is', async () => {
    using directory = new TempDir()
    await written(directory.path)
    const file = join(directory.path, 'journal.db')
    const page = 4_096
    const descriptor = openSync(file, 'r+')
    const noise = Buffer.alloc(statSync(file).size - page, 0x5a)
    writeSync(descriptor, noise, 0, noise.length, page)
    closeSync(descriptor)
    const before = readFileSync(file)
    const { code, message } = refusal(directory.path)
    expect(code).toBe('STATE_UNUSABLE')
    expect(message).toContain(file)
    expect(message).toMatch(/damaged\. Move it away/)
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('gives the directory free, so that it opens once it was moved away', () => {
    using directory = new TempDir()
    const file = join(directory.path, 'journal.db')
    writeFileSync(file, 'x'.repeat(5_000))
    expect(refusal(directory.path).code).toBe('STATE_UNUSABLE')
    writeFileSync(file, '')
    const state = open(directory.path)
    expect(state.ledger.process.claims()).toEqual([])
    state.close()
  })
})

describe('the directory', () => {
  it('is made, with the ones above it, for its owner only', () => {
    using directory = new TempDir()
    const path = join(directory.path, 'a/b')
    open(path).close()
    expect(statSync(path).mode & 0o777).toBe(0o700)
  })

  it('is refused by name when it is a file', async () => {
    using directory = new TempDir()
    await directory.write({ state: 'a file' })
    const { code, message } = refusal(join(directory.path, 'state'))
    expect(code).toBe('STATE_UNUSABLE')
    expect(message).toContain(`${join(directory.path, 'state')} cannot be used: it is not a directory`)
  })

  it('is refused by name when nothing can be written to it', (context) => {
    if (process.getuid?.() === 0) context.skip('the superuser may write everywhere')
    using directory = new TempDir()
    chmodSync(directory.path, 0o500)
    const { code, message } = refusal(directory.path)
    chmodSync(directory.path, 0o700)
    expect(code).toBe('STATE_UNUSABLE')
    expect(message).toContain(`${directory.path} cannot be used: this user may not write there`)
  })

  // In a process of its own: what goes wrong here does not come back.
  it('is refused where the kernel will have no new directory', async (context) => {
    if (!existsSync('/proc/self')) context.skip('there is no /proc')
    const lock = join(import.meta.dirname, '../../src/journal/state-lock.ts')
    const script = `import { lockState } from ${JSON.stringify(lock)}; lockState('/proc/no/such/place')`
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 20_000,
      killSignal: 'SIGKILL',
    })
    expect(status).toBe(1)
    expect(stderr).toContain('state.directory: /proc/no/such/place cannot be used')
  }, 60_000)
})

it('a damaged lock is named, with what to do: nothing is kept in it', () => {
  using directory = new TempDir()
  writeFileSync(join(directory.path, 'lock.db'), 'no lock at all. '.repeat(500))
  const { code, message } = refusal(directory.path)
  expect(code).toBe('STATE_UNUSABLE')
  expect(message).toContain(`${join(directory.path, 'lock.db')} is damaged; nothing is kept in it: remove it`)
})
