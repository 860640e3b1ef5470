import type { Explanation } from '../explanation.ts'

const lease = 'src/worker/claim/lease.ts'
const machine = 'src/worker/claim/keeper-machine.ts'
const siblings = 'src/worker/claim/siblings.ts'
const underWay = 'src/worker/claim/claims-under-way.ts'
const terms = 'src/worker/claim/terms.ts'

/** Looked up by its clink it costs the same however many are under way, which a list would not. */
const EMPTY = 'An empty set stays for each clink: only the memory of months shows that (npm run soak).'

export const leases: readonly Explanation[] = [
  {
    file: underWay,
    line: 'if (requests.size === 0) this.#requests.delete(clinkId)',
    mutator: 'ConditionalExpression',
    original: 'requests.size === 0',
    replacement: 'false',
    why: EMPTY,
  },
  {
    file: underWay,
    line: 'if (requests.size === 0) this.#requests.delete(clinkId)',
    mutator: 'CallExpression',
    original: 'this.#requests.delete(clinkId)',
    replacement: ';',
    why: EMPTY,
  },
  {
    file: machine,
    line: 'this.#round?.lengthRefused()',
    mutator: 'OptionalChaining',
    original: 'this.#round?.lengthRefused',
    replacement: 'this.#round.lengthRefused',
    why: 'An answer that counts is one of a round; the compiler does not know that.',
  },
  {
    file: machine,
    line: 'if (before === undefined || round === undefined) return 0',
    mutator: 'ConditionalExpression',
    original: 'round === undefined',
    replacement: 'false',
    why: 'An answer that counts is one of a round; the compiler does not know that.',
  },
  {
    file: machine,
    line: 'if (lease.deadline < before.deadline) this.#lease = lease',
    mutator: 'EqualityOperator',
    original: 'lease.deadline < before.deadline',
    replacement: 'lease.deadline <= before.deadline',
    why: 'A failed renewal gives back the very lease of before, or one with an earlier deadline.',
  },
  {
    file: machine,
    line: "const asking = this.#state === 'asking' ? this.#round?.asking : undefined",
    mutator: 'OptionalChaining',
    original: 'this.#round?.asking',
    replacement: 'this.#round.asking',
    why: 'Who asks is in a round; the compiler does not know that.',
  },
  {
    file: machine,
    line: "if (this.#state === 'over' || now < deadline) return",
    mutator: 'ConditionalExpression',
    original: "this.#state === 'over'",
    replacement: 'false',
    why: 'What follows ends a claim that is over once more, and the first ending stays.',
  },
  {
    file: machine,
    line: "if (this.#state === 'over' || now < deadline) return",
    mutator: 'StringLiteral',
    original: "'over'",
    replacement: '""',
    why: 'What follows ends a claim that is over once more, and the first ending stays.',
  },
  {
    file: machine,
    line: "return `${reason}, and to a renewal ${this.#refusal?.why ?? ''}`",
    mutator: 'StringLiteral',
    original: "''",
    replacement: '"Stryker was here!"',
    why: 'It is asked for only after a refusal; the compiler does not know that.',
  },
  {
    file: machine,
    line: "return `${reason}, and to a renewal ${this.#refusal?.why ?? ''}`",
    mutator: 'OptionalChaining',
    original: 'this.#refusal?.why',
    replacement: 'this.#refusal.why',
    why: 'It is asked for only after a refusal; the compiler does not know that.',
  },
  {
    file: lease,
    line: 'if (length === undefined || length <= 0) return undefined',
    mutator: 'ConditionalExpression',
    original: 'length === undefined',
    replacement: 'false',
    why: 'The comparisons that follow are all false of what is undefined, so that it is returned.',
  },
  {
    file: lease,
    line: 'return (start ?? -Infinity) > serverStart ? grantedAt + told : -Infinity',
    mutator: 'UnaryOperator',
    original: '-Infinity',
    replacement: '+Infinity',
    why: 'Without a start no length is told, which counts as -Infinity and is as good as no end.',
  },
  {
    file: machine,
    line: "if (renewal.is === 'granted' && renewal.lease.deadline < this.#lease.deadline) this.#lease = renewal.lease",
    mutator: 'EqualityOperator',
    original: 'renewal.lease.deadline < this.#lease.deadline',
    replacement: 'renewal.lease.deadline <= this.#lease.deadline',
    why: 'No renewal follows, and two leases of one deadline end alike.',
  },
  {
    file: siblings,
    line: 'this.#inVain.set(claim.clink.clink_id, true)',
    mutator: 'BooleanLiteral',
    original: 'true',
    replacement: 'false',
    why: 'It is asked whether something is noted, and never what.',
  },
  {
    file: terms,
    line: '#refusedAt = -Infinity',
    mutator: 'UnaryOperator',
    original: '-Infinity',
    replacement: '+Infinity',
    why: 'It is read after three refusals only, and each of them sets it.',
  },
  {
    file: terms,
    line: "return this.secondsFor({ basis: this.#timesAbsent ? 'assumed' : 'told' })",
    mutator: 'StringLiteral',
    original: "'assumed'",
    replacement: '""',
    why: 'The length to ask for goes by whether this is `told`, and by nothing else.',
  },
  {
    file: terms,
    line: 'if (this.areUnusable) this.#refusedAt = this.#context.clock.now()',
    mutator: 'ConditionalExpression',
    original: 'this.areUnusable',
    replacement: 'true',
    why: 'Until there were three refusals nobody reads the time, and the third sets it anew.',
  },
]
