import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isJournal } from '../../src/observe/journald.ts'
import { createLogger } from '../../src/observe/log.ts'
import { built } from '../support/program.ts'
import { surroundings } from '../support/surroundings.ts'
import { TempDir } from '../support/temp-dir.ts'

it('each line for the journal says how much it matters, as syslog numbers it', () => {
  const lines: string[] = []
  const config = { level: 'trace', format: 'json', content: false } as const
  const destination = { write: (text: string) => void lines.push(text) }
  const options = { destination, terminal: false, color: false, secrets: new Set<string>() }
  const journal = createLogger(config, { ...options, journal: true })
  for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) journal[level]({ event: 'x' })
  expect(lines.map((line) => line.slice(0, 4))).toEqual(['<7>{', '<7>{', '<6>{', '<4>{', '<3>{', '<2>{'])
  createLogger(config, options).error({ event: 'x' })
  expect(lines.at(-1)).toMatch(/^\{"level":"error"/)
})

it('only what is the journal is taken for it', () => {
  const { dev, ino } = fstatSync(2)
  expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, 2)).toBe(true)
  expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino}1` }, 2)).toBe(false)
  expect(isJournal({}, 2)).toBe(false)
})

it('what keeps it from starting is an error there', () => {
  using dir = new TempDir()
  const path = join(dir.path, 'errors')
  const file = openSync(path, 'w')
  const { dev, ino } = fstatSync(file)
  const env = { ...surroundings, JOURNAL_STREAM: `${dev}:${ino}` }
  spawnSync(process.execPath, [built, 'run', '--config', 'missing.yaml'], {
    cwd: dir.path,
    env,
    stdio: ['ignore', 'ignore', file],
  })
  closeSync(file)
  expect(readFileSync(path, 'utf8')).toMatch(/^<3>clink-worker: .*missing\.yaml/)
})
