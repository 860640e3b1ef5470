import { globSync } from 'node:fs'

/** Some files of the worker, and the tests that have to notice whatever is changed in them. All of those run in one process. */
export interface Part {
  readonly name: string
  readonly files: readonly string[]
  readonly judges: readonly string[]
  /** It takes hours: it is left out unless it is named. */
  readonly isLong?: true
}

export const parts: readonly Part[] = [
  {
    name: 'table',
    files: [
      'src/base/backoff.ts',
      'src/worker/capacity/blame.ts',
      'src/worker/capacity/circuit-breaker.ts',
      'src/worker/capacity/route-pause.ts',
      'src/worker/execution/given-up.ts',
      'src/worker/execution/outcome.ts',
    ],
    judges: [
      'test/base/backoff.test.ts',
      'test/worker/capacity/circuit-breaker.test.ts',
      'test/worker/capacity/route-pause.test.ts',
      'test/worker/execution/outcome.test.ts',
    ],
  },
  {
    name: 'lease',
    files: ['src/worker/claim/keeper-machine.ts', 'src/worker/claim/lease.ts', 'src/worker/claim/terms.ts'],
    judges: [
      'test/worker/claim/keeper-machine-ends.test.ts',
      'test/worker/claim/keeper-machine.test.ts',
      'test/worker/claim/lease.test.ts',
      'test/worker/claim/terms.test.ts',
    ],
  },
  {
    name: 'heart',
    files: globSync('src/worker/**/*.ts'),
    judges: ['test/mutants/seeds.ts', ...globSync('test/worker/**/*.test.ts')],
    isLong: true,
  },
]
