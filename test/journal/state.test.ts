import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openState, type State, type StateOptions } from '../../src/journal/state.ts'
import type { LedgerTables } from '../../src/ledger/tables.ts'
import { BareFleet } from '../support/bare-fleet.ts'
import { claim, letter, open, openFile, refusal } from '../support/states.ts'
import { TempDir } from '../support/temp-dir.ts'

let directory: TempDir

const at = (name: string): string => join(directory.path, name)
const opened = (more: Partial<StateOptions> = {}): State =>
  openState({ directory: directory.path, sync: 'normal', onHealth: () => {}, ...more })
/** As the only thing that is done with it. */
function once<Seen>(look: (state: State) => Seen, more?: Partial<StateOptions>): Seen {
  const state = opened(more)
  try {
    return look(state)
  } finally {
    state.close()
  }
}

beforeEach(() => {
  directory = new TempDir()
})

afterEach(() => directory[Symbol.dispose]())

describe('§7: a state directory', () => {
  it('is made where there is none, for its owner only', () => {
    openState({ directory: at('a/b'), sync: 'normal', onHealth: () => {} }).close()
    expect(statSync(at('a/b')).mode & 0o777).toBe(0o700)
    expect(['lock.db', 'journal.db'].map((name) => statSync(at(`a/b/${name}`)).mode & 0o777)).toEqual([0o600, 0o600])
  })

  it('says whose it is as long as it is held, and is refused to anybody else', () => {
    const state = opened()
    const owner = readFileSync(at('owner'), 'utf8')
    expect(owner).toMatch(new RegExp(`^pid ${process.pid} on ${hostname()}, since \\d{4}-\\d\\d-\\d\\dT.*Z\\n$`))
    expect(statSync(at('owner')).mode & 0o777).toBe(0o600)
    expect(refusal(directory.path)).toEqual({
      code: 'STATE_BUSY',
      message: `state.directory: ${directory.path} is held by another worker (${owner.trim()}); stop it, or give this one a directory of its own`,
    })
    rmSync(at('owner'))
    expect(refusal(directory.path).message).toContain('is held by another worker (it does not say which); stop it')
    state.close()
    expect(existsSync(at('owner'))).toBe(false)
  })

  it.each([
    ['lock.db', (file: string) => mkdirSync(file)],
    ['owner', (file: string) => mkdirSync(file)],
    ['journal.db', (file: string) => mkdirSync(file)],
  ])('is refused where its %s cannot be used, and held by nobody then', (name, spoil) => {
    spoil(at(name))
    const { code, message } = refusal(directory.path)
    expect(code).toBe('STATE_UNUSABLE')
    expect(message).toMatch(
      name === 'journal.db' ? `the journal ${at(name)} cannot be opened: ` : `${directory.path} cannot be used: `,
    )
    rmSync(at(name), { recursive: true })
    open(directory.path).close()
    expect(existsSync(at('owner'))).toBe(false)
  })

  it('is refused with what to do where its lock is damaged', () => {
    writeFileSync(at('lock.db'), 'no lock '.repeat(1_000))
    expect(refusal(directory.path)).toEqual({
      code: 'STATE_UNUSABLE',
      message: `the lock ${at('lock.db')} is damaged; nothing is kept in it: remove it`,
    })
  })

  it('that is a file is refused', () => {
    writeFileSync(at('file'), '')
    expect(refusal(at('file')).message).toMatch(`state.directory: ${at('file')} cannot be used: `)
  })
})

describe('a state directory in use', () => {
  it('is ours from the first time on, and not where it came from elsewhere', () => {
    expect(once(({ isOurs }) => isOurs)).toBe(true)
    expect(once(({ isOurs }) => isOurs)).toBe(true)
    {
      using file = openFile(directory.path)
      file.exec(`UPDATE facts SET row = '"elsewhere"' WHERE id = 'place'`)
    }
    const visit = { visit: true } as const
    expect([once(({ isOurs }) => isOurs, visit), once(({ isOurs }) => isOurs, visit)]).toEqual([false, false])
    expect([once(({ isOurs }) => isOurs), once(({ isOurs }) => isOurs)]).toEqual([false, true])
  })

  it('has no problem until its files are taken away, which is told once: then nothing new may start (P3)', async () => {
    const told: string[] = []
    const state = opened({ onLost: (problem) => told.push(problem) })
    expect([state.problem(), state.isStillOurs(), state.ledger.isHealthy]).toEqual([undefined, true, true])
    rmSync(at('lock.db'))
    await sleep(120)
    expect(state.problem()).toContain('lock.db has been removed')
    expect([state.isStillOurs(), state.ledger.isHealthy, told]).toEqual([false, false, [state.problem()]])
    state.close()
    // Another worker may have written it.
    expect(existsSync(at('owner'))).toBe(true)
  })

  it('cannot be used while its journal cannot be written', async () => {
    const state = opened()
    {
      using file = openFile(directory.path)
      file.exec('ALTER TABLE letters RENAME TO others')
    }
    await state.ledger.deadLetter(letter)
    expect(state.problem()).toBe('the journal cannot be written: no such table: letters')
    expect([state.isStillOurs(), state.ledger.isHealthy]).toEqual([true, false])
    {
      using file = openFile(directory.path)
      file.exec('ALTER TABLE others RENAME TO letters')
    }
    state.close()
    expect(once(({ ledger }) => ledger.letters.count)).toBe(1)
  })
})

it('claims in hand are known to the next process (P9)', async () => {
  await once(async ({ ledger }) => await ledger.process.hold(claim))
  expect(once(({ ledger }) => ledger.process.claims())).toEqual([claim])
})

describe('a state directory of a fleet', () => {
  const joined = (tables: LedgerTables): void => void tables.facts.set('fleet', 'ours')

  it('is left by a worker that has no fleet, and changed by nobody else without it', async () => {
    await once(async ({ ledger }) => await ledger.process.note({ fleet: 'ours', other: '1' }))
    expect(() => opened({ visit: true })).toThrow(
      expect.objectContaining({
        code: 'STATE_UNUSABLE',
        message: `${directory.path} belongs to a member of the fleet ours: ask by its configuration (--config), which has state.url`,
      }),
    )
    once(({ ledger }) => expect([ledger.process.fact('fleet'), ledger.process.fact('other')]).toEqual([undefined, '1']))
    expect(once(({ fleet }) => fleet, { visit: true })).toBeUndefined()
  })

  it('stays that of a member, which works over the tables of the fleet', () => {
    const fleet = new BareFleet()
    const share = (tables: LedgerTables): never => {
      joined(tables)
      return Object.assign(fleet, { problem: 'it is away' }) as never
    }
    once(
      (state) => {
        void state.ledger.addOwn('mine', 1)
        expect([state.fleet === (fleet as unknown), state.problem(), fleet.tables.own.get('mine')]).toEqual([
          true,
          'it is away',
          1,
        ])
      },
      { share },
    )
    expect(() => opened({ visit: true })).toThrow('belongs to a member of the fleet ours')
  })

  it('is free where the fleet cannot be joined', () => {
    const share = (tables: LedgerTables, isOurs: boolean): never => {
      joined(tables)
      throw new Error(`not joined, though ours: ${isOurs}`)
    }
    expect(() => opened({ share })).toThrow('not joined, though ours: true')
    expect(existsSync(at('owner'))).toBe(false)
    once(({ fleet }) => expect(fleet).toBeUndefined())
  })
})
