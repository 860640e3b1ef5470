import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isBusy, isCorrupt, isFull, isTooBig, stateError, writeProblem } from '../../src/journal/sqlite-error.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { TempDir } from '../support/temp-dir.ts'

/** As SQLite tells; its extended codes have the primary one in their last byte. */
const sqlite = (errcode: unknown): Error => Object.assign(new Error('what SQLite says'), { errcode })
const system = (code: string): Error => Object.assign(new Error('what the system says'), { code })

const FULL = 'the disk is full: free some space'
const READ_ONLY = 'the file system is read-only: make it writable'

it.each([
  ['busy', isBusy, [sqlite(5), sqlite(5 | 256)]],
  ['a full disk', isFull, [sqlite(13), sqlite(13 | 512), system('ENOSPC'), system('EDQUOT')]],
  ['a row that is too big', isTooBig, [sqlite(18)]],
  ['a damaged file', isCorrupt, [sqlite(11), sqlite(26), sqlite(11 | 256)]],
] as const)('an error tells of %s, and no other does', (_, is, errors) => {
  expect(errors.map((error) => is(error))).toEqual(errors.map(() => true))
  const others = [sqlite(1), sqlite('5'), sqlite('13'), sqlite('18'), sqlite('11'), system('EIO'), {}, null, undefined]
  expect([...others, 'an error', 5].map((error) => is(error))).not.toContain(true)
})

describe('what keeps a journal from being written', () => {
  it('is said with what to do about it, or else as it was told', () => {
    using directory = new TempDir()
    const said = [sqlite(13), system('ENOSPC'), sqlite(8), sqlite(1), system('EIO')].map((error) =>
      writeProblem(error, directory.path),
    )
    expect(said).toEqual([FULL, FULL, READ_ONLY, 'what SQLite says', 'what the system says'])
  })

  it('is told with the size that is needed where the disk is smaller', (context) => {
    using small = new SmallDisk(context)
    using enough = new SmallDisk(context, '4m')
    const said = [small, enough].map(({ state }) => writeProblem(sqlite(13), join(state, '..')))
    expect(said).toEqual([`${FULL}. It has 512 KiB in all; a state directory needs 4 MiB at least`, FULL])
  })
})

describe('a state directory that cannot be used', () => {
  const told = (error: unknown, directory: string) => stateError(directory, (problem) => `no: ${problem}`, error)

  it.each([
    [sqlite(10), 'what SQLite says'],
    [sqlite(13), FULL],
    [system('ENOSPC'), FULL],
    [system('EDQUOT'), FULL],
    [system('EIO'), 'what the system says'],
    [system('EMFILE'), 'what the system says'],
    [system('ENFILE'), 'what the system says'],
  ])('may be used later, where that is of the moment: %o', (error, problem) => {
    using directory = new TempDir()
    const { cause, code, message } = told(error, directory.path)
    expect([code, message, cause]).toEqual(['STATE_UNAVAILABLE', `no: ${problem}`, error])
  })

  it.each([
    [sqlite(8), READ_ONLY],
    [system('EROFS'), READ_ONLY],
    [
      system('EACCES'),
      'this user may not write there: give it to the user that the worker runs as, or run this as that user',
    ],
    [sqlite(14), 'what SQLite says'],
    [sqlite(1), 'what SQLite says'],
    [system('ENOTDIR'), 'what the system says'],
  ])('stays wrong until somebody changes it: %o', (error, problem) => {
    using directory = new TempDir()
    const { cause, code, message } = told(error, directory.path)
    expect([code, message, cause]).toEqual(['STATE_UNUSABLE', `no: ${problem}`, error])
  })

  it('that nobody may write to is told so, though SQLite says only that it opens nothing', (context) => {
    using disk = new SmallDisk(context)
    disk.makeReadOnly()
    expect(told(sqlite(14), join(disk.state, '..')).message).toBe(`no: ${READ_ONLY}`)
  })

  it('that is not there is told as SQLite tells it', () => {
    using directory = new TempDir()
    expect(told(sqlite(14), join(directory.path, 'none'))).toMatchObject({
      code: 'STATE_UNUSABLE',
      message: 'no: what SQLite says',
    })
  })

  it('for lack of space is told so, also where SQLite says something else', (context) => {
    using disk = new SmallDisk(context)
    const mount = join(disk.state, '..')
    expect(told(sqlite(14), mount).message).toBe('no: what SQLite says')
    disk.fill()
    for (const error of [sqlite(10), sqlite(14)])
      expect(told(error, mount)).toMatchObject({
        code: 'STATE_UNAVAILABLE',
        message: expect.stringContaining(FULL),
        cause: error,
      })
    expect(told(sqlite(1), mount).message).toBe('no: what SQLite says')
  })
})
