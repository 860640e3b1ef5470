import type { Explanation } from '../explanation.ts'

const blame = 'src/worker/capacity/blame.ts'
const breaker = 'src/worker/capacity/circuit-breaker.ts'
const pause = 'src/worker/capacity/route-pause.ts'

export const table: readonly Explanation[] = [
  {
    file: blame,
    line: 'if (mayBeRoute) this.#failed.set(clinkId, true)',
    mutator: 'ConditionalExpression',
    original: 'mayBeRoute',
    replacement: 'true',
    why: 'Who is at fault may stand in the other list too: `has` asks both, `note` only the one, and `done` moves it to where it is.',
  },
  {
    file: blame,
    line: 'if (mayBeRoute) this.#failed.set(clinkId, true)',
    mutator: 'BooleanLiteral',
    original: 'true',
    replacement: 'false',
    why: 'Only the keys of the list are looked at.',
  },
  {
    file: blame,
    line: 'for (const [id] of this.#failed.entries()) this.#atFault.set(id, true)',
    mutator: 'BooleanLiteral',
    original: 'true',
    replacement: 'false',
    why: 'Only the keys of the list are looked at.',
  },
  {
    file: blame,
    line: 'this.#failed.clear()',
    mutator: 'CallExpression',
    original: 'this.#failed.clear()',
    replacement: ';',
    why: 'Who stays in this list is in the other one, so that it is at fault as before; the list is bounded.',
  },
  {
    file: breaker,
    line: 'return this.#isPaused(health, tried.clinkId) ? (health.pause?.wait(tried, hasQueued) ?? 0) : 0',
    mutator: 'OptionalChaining',
    original: 'health.pause?.wait',
    replacement: 'health.pause.wait',
    why: 'A route that is paused has a pause; the compiler does not know that.',
  },
  {
    file: breaker,
    line: 'if (this.#isPaused(health, tried.clinkId)) health.pause?.started(tried)',
    mutator: 'OptionalChaining',
    original: 'health.pause?.started',
    replacement: 'health.pause.started',
    why: 'A route that is paused has a pause; the compiler does not know that.',
  },
  {
    file: breaker,
    line: "if (isProbe) pause.probed(clinkId, 'other', verdict.retryAfter)",
    mutator: 'StringLiteral',
    original: "'other'",
    replacement: '""',
    why: 'It is the word for what is neither `failed` nor `nothing`, and is compared with these two only.',
  },
  {
    file: pause,
    line: "#look: 'open' | 'overdue' | 'none' = 'open'",
    mutator: 'StringLiteral',
    original: "'open'",
    replacement: '""',
    why: 'The constructor sets it before anybody reads it.',
  },
  {
    file: pause,
    line: 'if (next !== undefined) this.#wake(next)',
    mutator: 'ConditionalExpression',
    original: 'next !== undefined',
    replacement: 'true',
    why: 'Nobody waits under the name `undefined`, so that nobody is woken.',
  },
  {
    file: pause,
    line: 'this.#waiting.get(clinkId)?.wake()',
    mutator: 'OptionalChaining',
    original: 'this.#waiting.get(clinkId)?.wake',
    replacement: 'this.#waiting.get(clinkId).wake',
    why: 'Both callers have found the clink among those that wait; the compiler does not know that.',
  },
]
