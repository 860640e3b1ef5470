import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { probeState } from '../../src/journal/probe.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { open } from '../support/states.ts'
import { TempDir } from '../support/temp-dir.ts'

let directory: TempDir

const at = (name: string): string => join(directory.path, name)
const refusal = (where: string): unknown => {
  try {
    probeState(where)
  } catch (error) {
    return error
  }
  return undefined
}

beforeEach(() => {
  directory = new TempDir()
})

afterEach(() => directory[Symbol.dispose]())

it('a directory that a worker could use is no problem, and nothing is made or changed', () => {
  expect([refusal(directory.path), refusal(at('a/b/c'))]).toEqual([undefined, undefined])
  expect(readdirSync(directory.path)).toEqual([])
  open(directory.path).close()
  const before = readdirSync(directory.path)
  expect([refusal(directory.path), readdirSync(directory.path)]).toEqual([undefined, before])
})

it('one that another worker has is no problem of this kind', () => {
  const state = open(directory.path)
  expect(refusal(directory.path)).toBeUndefined()
  state.close()
})

it.each([
  ['a file', 'is', /^cannot be used: it is not a directory$/, () => writeFileSync(at('is'), '')],
  ['what is below a file', 'is/below', /: it is not a directory$/, () => writeFileSync(at('is'), '')],
  ['a link to nowhere', 'link', /: it is a link that leads nowhere$/, () => symlinkSync(at('none'), at('link'))],
  ['what is below one', 'link/below', /: it is a link that leads nowhere$/, () => symlinkSync(at('none'), at('link'))],
] as const)('%s cannot be used', (_, name, message, make) => {
  make()
  expect(refusal(at(name))).toMatchObject({ code: 'STATE_UNUSABLE', message: expect.stringMatching(message) })
})

it.each(['lock.db', 'journal.db', 'owner'])('one whose %s is no file cannot be used', (name) => {
  mkdirSync(at(name))
  expect(refusal(directory.path)).toMatchObject({
    code: 'STATE_UNUSABLE',
    message: `cannot be used: ${at(name)} is not a file`,
  })
  rmSync(at(name), { recursive: true })
  mkdirSync(at('else'))
  expect(refusal(directory.path)).toBeUndefined()
})

it('one on a full disk cannot be used now, and one that nobody may write to not at all', (context) => {
  using disk = new SmallDisk(context)
  disk.fill()
  expect(refusal(disk.state)).toMatchObject({ code: 'STATE_UNAVAILABLE' })
  expect(String(refusal(disk.state))).toContain('the disk is full: free some space')
  disk.free()
  expect(refusal(disk.state)).toBeUndefined()
  disk.makeReadOnly()
  expect(refusal(disk.state)).toMatchObject({
    code: 'STATE_UNUSABLE',
    message: 'cannot be used: the file system is read-only: make it writable',
  })
})
