import { existsSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StateFiles } from '../../src/journal/state-files.ts'
import { TempDir } from '../support/temp-dir.ts'

/** Longer than a look is good for. */
const LONG = 120
const HOUR = 3_600
const NAMES = ['lock.db', 'journal.db', 'owner', 'journal.db-wal', 'journal.db-shm', 'control.sock']

let directory: TempDir
let told: string[]
let files: StateFiles

const at = (name: string): string => join(directory.path, name)
/** Seconds from when it was used to now, by either of its times. */
const age = (name: string): number => {
  const { atimeMs, mtimeMs } = statSync(at(name))
  return Math.round(Math.max(...[atimeMs, mtimeMs].map((time) => Math.abs(Date.now() - time))) / 1_000)
}
const makeOld = (seconds: number): void => {
  const then = Date.now() / 1_000 - seconds
  for (const name of NAMES) if (existsSync(at(name))) utimesSync(at(name), then, then)
}

beforeEach(() => {
  directory = new TempDir()
  told = []
  for (const name of NAMES) writeFileSync(at(name), '')
  files = new StateFiles(directory.path, (problem) => told.push(problem))
})

afterEach(() => directory[Symbol.dispose]())

describe('a state directory in use (P3)', () => {
  it('is ours as long as its files are those that were there', async () => {
    rmSync(at('owner'))
    expect(files.problem).toBeUndefined()
    await sleep(LONG)
    expect([files.problem, told]).toEqual([undefined, []])
  })

  it.each([
    ['lock.db', 'has been removed', (file: string) => rmSync(file)],
    ['journal.db', 'has been removed', (file: string) => rmSync(file)],
    [
      'journal.db',
      'is another file now',
      (file: string) => {
        writeFileSync(`${file}.other`, '')
        renameSync(`${file}.other`, file)
      },
    ],
  ])('is another one’s once %s %s, and never ours again, which is told once', async (name, what, take) => {
    renameSync(at(name), at('kept'))
    writeFileSync(at(name), '')
    files = new StateFiles(directory.path, (problem) => told.push(problem))
    renameSync(at(name), at('ours'))
    renameSync(at('ours'), at(name))
    expect(files.problem).toBeUndefined()
    renameSync(at(name), at('ours'))
    writeFileSync(at(name), '')
    take(at(name))
    await sleep(LONG)
    expect(files.problem).toMatch(`${at(name)} ${what} while this worker has it open`)
    await sleep(LONG)
    expect(files.problem).toMatch(what)
    renameSync(at('ours'), at(name))
    await sleep(LONG)
    expect(files.problem).toMatch(what)
    expect(told).toEqual([files.problem])
  })

  it('is looked at ten times a second at most', async () => {
    expect(files.problem).toBeUndefined()
    rmSync(at('journal.db'))
    expect(files.problem).toBeUndefined()
    await sleep(LONG)
    expect(files.problem).toBeDefined()
  })
})

describe('its files look used, so that cleaners leave them (P1)', () => {
  it('where that was long ago, all that are there', () => {
    rmSync(at('journal.db-shm'))
    makeOld(2 * HOUR)
    files.touch()
    expect(NAMES.filter((name) => existsSync(at(name)) && age(name) > 10)).toEqual([])
    expect(existsSync(at('journal.db-shm'))).toBe(false)
    makeOld(HOUR / 2)
    files.touch()
    expect(NAMES.filter((name) => existsSync(at(name)) && age(name) < HOUR / 2)).toEqual([])
  })

  it('but not where the directory is another one’s', () => {
    makeOld(2 * HOUR)
    rmSync(at('lock.db'))
    files.touch()
    expect(age('journal.db')).toBeGreaterThan(HOUR)
  })
})
