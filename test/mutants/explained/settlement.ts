import type { Explanation } from '../explanation.ts'

const complete = 'src/worker/settlement/complete.ts'

const deliveries = 'src/worker/delivery/deliveries.ts'
const told = 'src/worker/delivery/told.ts'

export const settlements: readonly Explanation[] = [
  {
    file: complete,
    line: "? elsewhere(`completed by ${record.completed_by ?? 'somebody else'}`)",
    mutator: 'StringLiteral',
    original: "'somebody else'",
    replacement: '""',
    why: 'Whoever is somebody else has an id; the compiler does not know that.',
  },
  {
    file: complete,
    line: "if (record === 'failed') return undefined",
    mutator: 'ConditionalExpression',
    original: "record === 'failed'",
    replacement: 'false',
    why: 'A text has no status, and so shows neither a completion nor a loss; the compiler does not take it.',
  },
  {
    file: complete,
    line: "if (record === 'failed') return undefined",
    mutator: 'StringLiteral',
    original: "'failed'",
    replacement: '""',
    why: 'A text has no status, and so shows neither a completion nor a loss; the compiler does not take it.',
  },
  {
    file: complete,
    line: "const shorter = whole === undefined ? undefined : fitText(whole.text, whole.line, 'bytes').text",
    mutator: 'ConditionalExpression',
    original: 'whole === undefined',
    replacement: 'false',
    why: 'Only what has a text is asked for its next form; the compiler does not know that.',
  },
  {
    file: deliveries,
    line: 'if (handle.releaseTried) this.#releaseTried.set(id, true)',
    mutator: 'BooleanLiteral',
    original: 'true',
    replacement: 'false',
    why: 'It is asked whether something is noted, and never what.',
  },
  {
    file: deliveries,
    line: 'if (others.length === 0) this.#byClink.delete(id)',
    mutator: 'ConditionalExpression',
    original: 'others.length === 0',
    replacement: 'false',
    why: 'An empty list is as good as none; it is deleted for the memory that it costs.',
  },
  {
    file: told,
    line: 'if (cancelled !== undefined) return settleBy(cancelled, handle, undefined, false)',
    mutator: 'BooleanLiteral',
    original: 'false',
    replacement: 'true',
    why: 'It tells why a clink is not held any longer, and an operator who cancels one has none held.',
  },
]
