import type { Explanation } from '../explanation.ts'

const inHand = 'src/journal/in-hand-table.ts'
const rowText = 'src/journal/row-text.ts'
const steps = 'src/journal/step-rows.ts'

export const journal: readonly Explanation[] = [
  {
    file: inHand,
    line: 'return [...this.#entries.entries()].flatMap(([id, { row }]) => (row === undefined ? [] : [[id, row] as const]))',
    mutator: 'ArrayDeclaration',
    original: '[]',
    replacement: '["Stryker was here"]',
    why: 'What is to be deleted is not among the entries; the compiler does not know that.',
  },
  {
    file: inHand,
    line: 'return [...this.#entries.entries()].flatMap(([id, { row }]) => (row === undefined ? [] : [[id, row] as const]))',
    mutator: 'ConditionalExpression',
    original: 'row === undefined',
    replacement: 'false',
    why: 'What is to be deleted is not among the entries; the compiler does not know that.',
  },
  {
    file: inHand,
    line: 'if (written !== undefined) this.#statements.delete.run(number)',
    mutator: 'ConditionalExpression',
    original: 'written !== undefined',
    replacement: 'true',
    why: 'To delete a row that is not there deletes nothing; it is left out for what it costs.',
  },
  {
    file: inHand,
    line: 'if (written !== undefined) this.#statements.delete.run(number)\nreturn true',
    mutator: 'BooleanLiteral',
    original: 'true',
    replacement: 'false',
    why: 'Nobody looks at an entry any more that was deleted, so that it does not matter what is noted of it.',
  },
  {
    file: inHand,
    line: 'update.run(number, resultText)\nreturn true',
    mutator: 'BooleanLiteral',
    original: 'true',
    replacement: 'false',
    why: 'What is noted as written differs by its result then, and that is compared with nothing.',
  },
  {
    file: inHand,
    line: 'const texts = [textOf(claim), textOf(attempts), resultText, clink === written?.claim?.clink ? null : textOf(clink)]',
    mutator: 'OptionalChaining',
    original: 'written?.claim?.clink',
    replacement: 'written?.claim.clink',
    why: 'Only of a row that is to be deleted no claim is known, and that one is not written.',
  },
  {
    file: rowText,
    line: "if (typeof value === 'function') return undefined",
    mutator: 'ConditionalExpression',
    original: "typeof value === 'function'",
    replacement: 'false',
    why: 'The function itself is returned then, and JSON leaves it out in the same way.',
  },
  {
    file: rowText,
    line: "if (typeof value === 'function') return undefined",
    mutator: 'StringLiteral',
    original: "'function'",
    replacement: '""',
    why: 'The function itself is returned then, and JSON leaves it out in the same way.',
  },
  {
    file: steps,
    line: 'const inFile = changes?.isDropped === true ? [] : this.#inFile(clinkId)',
    mutator: 'ArrayDeclaration',
    original: '[]',
    replacement: '["Stryker was here"]',
    why: 'A text has no value, and what has none is left out.',
  },
  {
    file: steps,
    line: 'if (this.#changed.size === 0) return',
    mutator: 'ConditionalExpression',
    original: 'this.#changed.size === 0',
    replacement: 'false',
    why: 'Without changes nobody waits, and what the file holds is the same; it is left out for what it costs.',
  },
  {
    file: steps,
    line: 'return this.#statements.of.all(clinkId).flatMap((row) => schema.safeParse(row).data ?? [])',
    mutator: 'ArrayDeclaration',
    original: '[]',
    replacement: '["Stryker was here"]',
    why: 'A text has no value, and what has none is left out.',
  },
]
