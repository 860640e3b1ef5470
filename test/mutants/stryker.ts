import { Stryker } from '@stryker-mutator/core'
import { relative } from 'node:path'
import type { Part } from './parts.ts'
import type { Mutant, Place } from './survivors.ts'

export interface Wish {
  /** How many processes run tests. */
  readonly concurrency: number
  /** What the last run has found out counts, where neither the file nor its tests have changed. Of other files that have changed it knows nothing. */
  readonly isAgain: boolean
}

/** Its type is not exported where it is an option. */
const quiet: object = { logLevel: 'warn', warnings: { slow: false } }

/** Changes each file of a part in every way that Stryker knows, and runs the tests of the part on each change. */
export async function mutantsOf(
  { files, judges, name }: Part,
  { concurrency, isAgain }: Wish,
): Promise<readonly Mutant[]> {
  // Not by its option `testFiles`: with that, a change to what is computed when a module is loaded never takes effect.
  process.env['MUTANTS_JUDGES'] = judges.join(' ')
  const stryker = new Stryker({
    mutate: [...files],
    testRunner: 'vitest',
    vitest: { configFile: 'test/mutants/vitest.config.ts', related: false },
    plugins: ['@stryker-mutator/vitest-runner'],
    // It does not know the configuration of this TypeScript, and needs none: Node and vitest take the types away.
    tsconfigFile: 'none',
    coverageAnalysis: 'perTest',
    concurrency,
    incremental: true,
    force: !isAgain,
    incrementalFile: `node_modules/.cache/mutants/${name.replaceAll('/', '-')}.json`,
    reporters: [process.stdout.isTTY ? 'progress' : 'json'],
    jsonReporter: { fileName: `node_modules/.cache/mutants/${name.replaceAll('/', '-')}.report.json` },
    ...quiet,
    tempDirName: 'node_modules/.cache/stryker',
    ignorePatterns: ['dist', 'node_modules/.cache'],
    cleanTempDir: 'always',
  })
  const results = await stryker.runMutationTest()
  return results.map(({ fileName, location: { start, end }, mutatorName, replacement, status }) => ({
    file: relative(process.cwd(), fileName),
    mutator: mutatorName,
    replacement: replacement ?? '',
    from: fromZero(start),
    to: fromZero(end),
    became: status === 'Survived' ? 'survived' : status === 'NoCoverage' ? 'not covered' : 'killed',
  }))
}

function fromZero({ column, line }: Place): Place {
  return { line: line - 1, column: column - 1 }
}
