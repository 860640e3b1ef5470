import { globSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Tests that keep every processor busy, and wait for no lease. */
const busy = ['test/simulation/**/*.test.ts', 'test/house/**/*.test.ts', 'test/reference/**/*.test.ts']

/** Tests that change modules or the timers that these are loaded with: each has a process of its own. */
const alone = globSync('test/**/*.test.ts', { cwd: import.meta.dirname }).filter((file) =>
  /vi\.(mock|doMock|resetModules|useFakeTimers)\(/.test(readFileSync(join(import.meta.dirname, file), 'utf8')),
)

/** Files that take longest, by what they begin with. The rest is mixed: those that start processes all at once would keep each other from their leases. */
const LONG = ['simulation/simulation.', 'simulation/known-seeds.', 'host/image.', 'chaos/', 'soak/']

/** One that took a minute and came last would be alone for as long. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => rank(a) - rank(b))
  }
}

function rank({ moduleId }: TestSpecification): number {
  const name = relative(join(import.meta.dirname, 'test'), moduleId)
  const found = LONG.findIndex((start) => name.startsWith(start))
  return found === -1 ? LONG.length : found
}

// Some wait for a file or a program: one more than there are processors keeps these busy.
const shared = {
  maxWorkers: availableParallelism() + 1,
  testTimeout: 60_000,
  restoreMocks: true,
  unstubEnvs: true,
  unstubGlobals: true,
  // Processes that the tests start read the code that others of them have compiled.
  env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
} as const

/** Files of one process share what it has loaded, and Node loads it, from the sources as they are. */
const together = { isolate: false, experimental: { viteModuleRunner: false, nodeLoader: false } } as const

export default defineConfig({
  test: {
    allowOnly: false,
    globalSetup: 'test/support/build.ts',
    sequence: { sequencer: LongestFirst },
    // One after the other: a test whose lease of two seconds runs on the machine's clock must not share it with a simulation.
    projects: [
      { test: { ...shared, name: 'alone', include: alone, sequence: { groupOrder: 0 } } },
      {
        test: {
          ...shared,
          ...together,
          name: 'timed',
          include: ['test/**/*.test.ts'],
          exclude: [...busy, ...alone],
          // Most wait for a lease or a process: more than these would wait for each other.
          maxWorkers: availableParallelism() + 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          ...together,
          name: 'busy',
          include: busy,
          exclude: alone,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
