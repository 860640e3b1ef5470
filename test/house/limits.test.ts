import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { callbacks } from './callbacks.ts'
import { figures, isHeart } from './figures.ts'
import { listedFiles } from './way.ts'

/** Lines of the longest file and function, raw; CONTRIBUTING.md says it under "Style". */
const FILE = 300
const FUNCTION = 60

/** What is longer today, and by how much. Lines here only fall, and what has met the limit goes. */
const LONGER_FILES: Readonly<Record<string, number>> = {}
const LONGER_FUNCTIONS: Readonly<Record<string, number>> = {}

/** Functions that constructors of the heart take. Only falls. */
const CALLBACKS = 3

/** What docs/architecture.md lists as the way of one clink. */
const LISTED = { files: 15, lines: 2_130 }

const files = figures()
const fileLines = new Map(files.map(({ file, lines }) => [file, lines]))
const functionLines = new Map(files.map(({ file, longest }) => [file, longest.lines]))

/** Files that are over the limit and over what they had, and those that need no exception of that size any more. */
function differences(measured: ReadonlyMap<string, number>, limit: number, longer: Readonly<Record<string, number>>) {
  return {
    over: [...measured].filter(([file, lines]) => lines > Math.max(limit, longer[file] ?? 0)),
    done: Object.keys(longer).filter((file) => (measured.get(file) ?? 0) <= limit),
  }
}

describe('the size of the parts', () => {
  it('no file is longer than it may be', () => {
    expect(differences(fileLines, FILE, LONGER_FILES)).toEqual({ over: [], done: [] })
  })

  it('no function is longer than it may be', () => {
    expect(differences(functionLines, FUNCTION, LONGER_FUNCTIONS)).toEqual({ over: [], done: [] })
  })

  it('constructors of the heart take no more functions than they did', () => {
    const taken = callbacks(files.filter(isHeart)).map(({ at }) => at)
    expect(taken).toContain('Start(inHand.begin)')
    expect(taken.length, taken.join(' ')).toBeLessThanOrEqual(CALLBACKS)
  })

  it('whoever follows one clink reads few files, and knows why the others can be skipped', () => {
    const printed = execFileSync(process.execPath, [join(import.meta.dirname, 'count.ts')], { encoding: 'utf8' })
    const path = [...printed.matchAll(/^ +\d+ +(?:asked)? +(listed|beside|-) +([\w/.-]+\.ts)$/gm)]
    expect(path.map(([, , file]) => file)).toContain('worker/settlement/complete.ts')
    const unnamed = path.filter(([, mention]) => mention === '-').map(([, , file]) => file)
    expect(unnamed, 'name it under "Beside the way" in docs/architecture.md, or in the list above').toEqual([])
    const listed = listedFiles()
    expect(
      listed.filter((file) => !fileLines.has(file)),
      'docs/architecture.md lists what is not there',
    ).toEqual([])
    expect(listed.length).toBeLessThanOrEqual(LISTED.files)
    const lines = listed.reduce((sum, file) => sum + (fileLines.get(file) ?? 0), 0)
    expect(lines).toBeLessThanOrEqual(LISTED.lines)
  })
})
