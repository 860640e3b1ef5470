import { describe, expect, it } from 'vitest'
import { explained } from './explained/all.ts'
import type { Explanation } from './explanation.ts'
import { parts } from './parts.ts'
import { judgeSurvivors, type Mutant } from './survivors.ts'

const text = ['function one() {', '  if (a > b) return 1', '}', 'function two() {', '  if (a > b) return 1', '}'].join(
  '\n',
)

/** That `a > b` on this line, counted from 0, became `a >= b`. */
const mutant = (line: number, became: Mutant['became'] = 'survived'): Mutant => ({
  file: 'src/one.ts',
  mutator: 'EqualityOperator',
  replacement: 'a >= b',
  from: { line, column: 6 },
  to: { line, column: 11 },
  became,
})

const explanation: Explanation = {
  file: 'src/one.ts',
  line: 'function one() {\n  if (a > b) return 1',
  mutator: 'EqualityOperator',
  original: 'a > b',
  replacement: 'a >= b',
  why: 'they never are the same',
}

const judge = (mutants: readonly Mutant[], ...explanations: readonly Explanation[]) =>
  judgeSurvivors(mutants, explanations, () => text)

describe('mutants that live', () => {
  it('are told with their place and their text, unless a test has noticed them', () => {
    const { unexplained, wrong } = judge([mutant(1), mutant(4, 'killed')])
    expect(unexplained).toEqual([
      {
        file: 'src/one.ts',
        number: 2,
        line: 'if (a > b) return 1',
        mutator: 'EqualityOperator',
        original: 'a > b',
        replacement: 'a >= b',
        became: 'survived',
      },
    ])
    expect(wrong).toEqual([])
  })

  it('are told with all their lines where they have several', () => {
    const block: Mutant = {
      ...mutant(0, 'not covered'),
      mutator: 'BlockStatement',
      replacement: '{}',
      from: { line: 0, column: 15 },
      to: { line: 2, column: 1 },
    }
    expect(judge([block]).unexplained[0]?.original).toBe('{\n  if (a > b) return 1\n}')
    const why = { ...explanation, mutator: 'BlockStatement', line: 'function one() {', replacement: '{}' }
    expect(judge([block], { ...why, original: '{ if (a > b) return 1 }' })).toEqual({ unexplained: [], wrong: [] })
  })

  it('need no test where they are explained, wherever their lines have moved to', () => {
    expect(judge([mutant(1)], explanation)).toEqual({ unexplained: [], wrong: [] })
    const moved = `// A comment.\n\n${text}`
    expect(judgeSurvivors([mutant(3)], [explanation], () => moved)).toEqual({ unexplained: [], wrong: [] })
  })

  it('are explained one by one: another one with the same text is another one', () => {
    expect(judge([mutant(1), mutant(4)], explanation).unexplained).toMatchObject([{ number: 5 }])
  })

  it('are not explained by what says two of them', () => {
    const both = { ...explanation, line: 'if (a > b) return 1' }
    expect(judge([mutant(1), mutant(4)], both).wrong).toEqual([
      'src/one.ts: EqualityOperator in "if (a > b) return 1", a > b → a >= b: explains 2 mutants, give it the lines before it too',
    ])
  })

  it.each<[string, Partial<Explanation>]>([
    ['a mutant that a test has killed since', {}],
    ['another file', { file: 'src/two.ts' }],
    ['another change', { replacement: 'a < b' }],
    ['another text', { original: 'b > a' }],
    ['another kind', { mutator: 'ConditionalExpression' }],
    ['another line', { line: 'function two() {\n  if (a > b) return 1' }],
  ])('an explanation of %s is wrong', (_, other) => {
    const became = Object.keys(other).length === 0 ? 'killed' : 'survived'
    const { unexplained, wrong } = judge([mutant(1, became)], { ...explanation, ...other })
    expect(wrong).toEqual([expect.stringMatching(/no such mutant survives, take the explanation away$/)])
    expect(unexplained).toHaveLength(became === 'killed' ? 0 : 1)
  })
})

it('each explanation is about a file of one part, and says why', () => {
  const files = parts.filter(({ isLong }) => isLong !== true).flatMap(({ files }) => files)
  expect(new Set(files).size).toBe(files.length)
  for (const { file, why } of explained) expect([files.includes(file), why.length > 20]).toEqual([true, true])
})
