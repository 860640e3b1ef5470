import { chmodSync, copyFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ControlSocket } from '../../src/control/server.ts'
import { TempDir } from '../support/temp-dir.ts'
import { letter, open } from '../support/states.ts'

function modesIn(directory: string): Record<string, string> {
  const modeOf = (name: string): string => (statSync(join(directory, name)).mode & 0o777).toString(8)
  return Object.fromEntries(readdirSync(directory).map((name) => [name, modeOf(name)]))
}

// Clinks are in these files, dead letters and results with them.
describe('P13: what is kept is for its owner alone', () => {
  let before: number
  beforeEach(() => (before = process.umask()))
  afterEach(() => process.umask(before))

  it.each([0o000, 0o022, 0o277])('in a directory that is open to all, under the umask %o', async (umask) => {
    using directory = new TempDir()
    chmodSync(directory.path, 0o777)
    process.umask(umask)
    const state = open(directory.path)
    const control = new ControlSocket({ directory: directory.path, answer: async () => 'yes' })
    await control.start()
    await state.ledger.deadLetter(letter)
    const all = { 'control.sock': '600', 'journal.db': '600', 'journal.db-shm': '600', 'journal.db-wal': '600' }
    expect(modesIn(directory.path)).toEqual({ ...all, 'lock.db': '600', owner: '600' })
    await control.stop()
    state.close()
  })

  it('also where an earlier version, killed, has left it open to others', async () => {
    using directory = new TempDir()
    const first = open(directory.path)
    await first.ledger.deadLetter(letter)
    // As after a kill: the log and what belongs to it are still there.
    const left = ['journal.db', 'journal.db-wal', 'journal.db-shm'].map((name) => join(directory.path, name))
    for (const file of left) copyFileSync(file, `${file}.left`)
    first.close()
    for (const file of left) copyFileSync(`${file}.left`, file)
    writeFileSync(join(directory.path, 'owner'), 'pid 1')
    for (const name of readdirSync(directory.path)) chmodSync(join(directory.path, name), 0o666)

    const state = open(directory.path)
    const { 'journal.db': journal, 'journal.db-wal': log, 'journal.db-shm': shared, ...rest } = modesIn(directory.path)
    expect([journal, log, shared, rest['lock.db'], rest['owner']]).toEqual(Array(5).fill('600'))
    expect(state.ledger.letters.all()).toHaveLength(1)
    state.close()
  })
})
