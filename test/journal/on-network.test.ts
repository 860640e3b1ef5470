import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { probeState } from '../../src/journal/probe.ts'
import { refusal } from '../support/states.ts'
import { TempDir } from '../support/temp-dir.ts'

const disk = vi.hoisted(() => ({ type: 0 }))

vi.mock('node:fs', async (original) => ({
  ...(await original<object>()),
  statfsSync: () => ({ type: disk.type, bavail: 1_000, blocks: 10_000, bsize: 4_096, ffree: 1, files: 1 }),
}))

let directory: TempDir

beforeEach(() => {
  directory = new TempDir()
})

afterEach(() => directory[Symbol.dispose]())

it.each([
  ['NFS', 0x6969],
  ['SMB', 0x517b],
  ['CIFS', 0xff534d42],
  ['SMB2', 0xfe534d42],
  ['9P', 0x01021997],
  ['AFS', 0x5346414f],
])('a state directory on %s is refused, whose locks prove nothing (P3)', (_, type) => {
  disk.type = type
  const why = 'is on a network file system, whose locks cannot be relied on; use a local one'
  expect(refusal(directory.path)).toEqual({
    code: 'STATE_UNUSABLE',
    message: `state.directory: ${directory.path} ${why}`,
  })
  expect(() => probeState(directory.path)).toThrow(expect.objectContaining({ code: 'STATE_UNUSABLE', message: why }))
})
