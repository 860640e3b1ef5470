import type { Explanation } from '../explanation.ts'

const page = 'src/ledger/page.ts'
const pauses = 'src/ledger/pauses.ts'
const sightings = 'src/ledger/sightings.ts'

export const ledger: readonly Explanation[] = [
  {
    file: 'src/ledger/audit.ts',
    line: 'this.#count += 1',
    mutator: 'AssignmentOperator',
    original: 'this.#count += 1',
    replacement: 'this.#count -= 1',
    why: 'It only makes the ids of two acts of one millisecond differ, and their order is that in which they were written.',
  },
  {
    file: 'src/ledger/memory-tables.ts',
    line: 'if (value !== undefined && value > after && value <= by) yield entry',
    mutator: 'ConditionalExpression',
    original: 'value !== undefined',
    replacement: 'true',
    why: 'The comparisons that follow are false of what is undefined; the compiler does not take them.',
  },
  {
    file: page,
    line: 'const order = (a: Place, b: Place): number => a.at - b.at || (a.id < b.id ? -1 : Number(a.id > b.id))',
    mutator: 'EqualityOperator',
    original: 'a.id < b.id',
    replacement: 'a.id <= b.id',
    why: 'Of two rows no place is the same, and the place to begin after is asked only whether a row is behind it.',
  },
  {
    file: page,
    line: 'text += JSON.stringify(rest[end]?.row).length',
    mutator: 'OptionalChaining',
    original: 'rest[end]?.row',
    replacement: 'rest[end].row',
    why: 'The loop ends before the list does; the compiler does not know that.',
  },
  {
    file: page,
    line: 'return end === rest.length || last === undefined ? page : { ...page, next: last.place }',
    mutator: 'ConditionalExpression',
    original: 'last === undefined',
    replacement: 'false',
    why: 'A page without a row is the end of the list; the compiler does not know that.',
  },
  {
    file: pauses,
    line: 'const { data } = kept.safeParse(text === undefined ? [] : tryTo((): unknown => JSON.parse(text)))',
    mutator: 'ConditionalExpression',
    original: 'text === undefined',
    replacement: 'false',
    why: 'What nobody has noted is no JSON either, and so there are no pauses.',
  },
  {
    file: pauses,
    line: 'const { data } = kept.safeParse(text === undefined ? [] : tryTo((): unknown => JSON.parse(text)))',
    mutator: 'ArrayDeclaration',
    original: '[]',
    replacement: '["Stryker was here"]',
    why: 'A list of what are no pauses is not taken, and so there are none.',
  },
  {
    file: sightings,
    line: "const last = this.#time('looked') ?? -Infinity",
    mutator: 'UnaryOperator',
    original: '-Infinity',
    replacement: '+Infinity',
    why: 'A look that lies ahead is followed by one that begins anew, like one of long ago.',
  },
  {
    file: sightings,
    line: 'const isAnew = last > now || last <= now - DAY',
    mutator: 'EqualityOperator',
    original: 'last > now',
    replacement: 'last >= now',
    why: 'A look of this millisecond is noted already, and nothing begins with it.',
  },
  {
    file: sightings,
    line: "if (since === undefined || (this.#time('looked') ?? -Infinity) <= now - DAY) return",
    mutator: 'ConditionalExpression',
    original: 'since === undefined',
    replacement: 'false',
    why: 'Both are noted in one commit, so that where one is unknown the other is, which ends it as well.',
  },
  {
    file: sightings,
    line: "if (since === undefined || (this.#time('looked') ?? -Infinity) <= now - DAY) return",
    mutator: 'UnaryOperator',
    original: '-Infinity',
    replacement: '+Infinity',
    why: 'Both are noted in one commit: where this one is unknown, so is the other.',
  },
  {
    file: 'src/ledger/table.ts',
    line: 'stays: (row: Row, id: string) => boolean = () => false,',
    mutator: 'ArrowFunction',
    original: '() => false',
    replacement: '() => undefined',
    why: 'It is asked only whether it is true.',
  },
]
