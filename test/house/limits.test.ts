import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { callbacks } from './callbacks.ts'
import { figures, isHeart } from './figures.ts'

/** Lines of the longest file and function, raw; CONTRIBUTING.md says it under "Style". */
const FILE = 300
const FUNCTION = 60

/** What is longer today, and by how much. Lines here only fall, and what has met the limit goes. */
const LONGER_FILES: Readonly<Record<string, number>> = {
  'ledger/ledger.ts': 343,
  'worker/admission/intake.ts': 324,
  'worker/claim/keeper.ts': 361,
  'worker/delivery/delivery.ts': 353,
}
const LONGER_FUNCTIONS: Readonly<Record<string, number>> = {}

/** Functions that constructors of the heart take. Only falls. */
const CALLBACKS = 22

/** Files of the heart, the ledger, runners and handlers in which one clink in batch mode has something called. Only falls. */
const PATH = 62

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
    expect(taken).toContain('Start(inHand.note)')
    expect(taken.length, taken.join(' ')).toBeLessThanOrEqual(CALLBACKS)
  })

  it('one clink passes through no more files than it did', () => {
    const printed = execFileSync(process.execPath, [join(import.meta.dirname, 'count.ts')], { encoding: 'utf8' })
    const [, count] = /^the path of one clink in batch mode: (\d+) files/m.exec(printed) ?? []
    expect(printed).toMatch(/ listed +worker\/settlement\/complete\.ts$/m)
    expect(Number(count), printed).toBeLessThanOrEqual(PATH)
  })
})
