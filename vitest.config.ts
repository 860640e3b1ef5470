import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** Tests that keep every processor busy, and wait for no lease. */
const busy = ['test/simulation/**/*.test.ts', 'test/house/**/*.test.ts', 'test/reference/**/*.test.ts']

// Most tests wait for a lease or a process: three files at once keep two processors busy, more would wait for each other.
const shared = {
  maxWorkers: 3,
  testTimeout: 60_000,
  restoreMocks: true,
  unstubEnvs: true,
  // Processes that the tests start read the sources that others of them have compiled.
  env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/node') },
} as const

export default defineConfig({
  test: {
    allowOnly: false,
    // One after the other: a test whose lease of two seconds runs on the machine's clock must not share it with a simulation.
    projects: [
      {
        test: {
          ...shared,
          name: 'timed',
          include: ['test/**/*.test.ts'],
          exclude: busy,
          sequence: { groupOrder: 0 },
        },
      },
      { test: { ...shared, name: 'busy', include: busy, sequence: { groupOrder: 1 } } },
    ],
  },
})
