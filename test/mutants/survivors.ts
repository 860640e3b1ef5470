import type { Explanation } from './explanation.ts'

/** A place in a text, counted from 0. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** What became of one change to a file. */
export interface Mutant {
  readonly file: string
  readonly mutator: string
  readonly replacement: string
  readonly from: Place
  readonly to: Place
  readonly became: 'killed' | 'survived' | 'not covered'
}

export interface Survivor {
  readonly file: string
  /** Counted from 1, for people. */
  readonly number: number
  readonly line: string
  readonly mutator: string
  readonly original: string
  readonly replacement: string
  readonly became: Mutant['became']
}

export interface Found {
  readonly unexplained: readonly Survivor[]
  /** Explanations of nothing, or of more than one mutant, and why. */
  readonly wrong: readonly string[]
}

const plain = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()

/** Which mutants live though nobody says why, and which explanations explain nothing any more. @param textOf the text of a file. */
export function judgeSurvivors(
  mutants: readonly Mutant[],
  explained: readonly Explanation[],
  textOf: (file: string) => string,
): Found {
  const alive = mutants
    .filter(({ became }) => became !== 'killed')
    .map((mutant) => ({ mutant, survivor: survivorOf(mutant, textOf(mutant.file)) }))
  const excused = new Set<Mutant>()
  const wrong: string[] = []
  for (const one of explained) {
    const meant = alive.filter(({ mutant, survivor }) => explains(one, mutant, survivor, textOf(mutant.file)))
    for (const { mutant } of meant) excused.add(mutant)
    const said = `${one.file}: ${one.mutator} in "${plain(one.line)}", ${plain(one.original)} → ${plain(one.replacement)}`
    if (meant.length === 0) wrong.push(`${said}: no such mutant survives, take the explanation away`)
    if (meant.length > 1) wrong.push(`${said}: explains ${meant.length} mutants, give it the lines before it too`)
  }
  return { unexplained: alive.filter(({ mutant }) => !excused.has(mutant)).map(({ survivor }) => survivor), wrong }
}

function explains(one: Explanation, mutant: Mutant, survivor: Survivor, text: string): boolean {
  if (one.file !== survivor.file || one.mutator !== survivor.mutator) return false
  if (plain(one.original) !== plain(survivor.original)) return false
  if (plain(one.replacement) !== plain(survivor.replacement)) return false
  const until = linesOf(text).slice(0, mutant.from.line + 1)
  const wanted = linesOf(one.line.trim()).length
  return plain(until.slice(-wanted).join('\n')) === plain(one.line)
}

function survivorOf({ became, file, from, mutator, replacement, to }: Mutant, text: string): Survivor {
  const lines = linesOf(text).slice(from.line, to.line + 1)
  const last = lines.length - 1
  const original = lines
    .map((line, index) => line.slice(index === 0 ? from.column : 0, index === last ? to.column : undefined))
    .join('\n')
  return { file, number: from.line + 1, line: (lines[0] ?? '').trim(), mutator, original, replacement, became }
}

function linesOf(text: string): readonly string[] {
  return text.split('\n')
}
