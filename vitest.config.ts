import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 20_000,
    // Most tests wait for a lease or a process; more files at once only make them wait for the processor.
    maxWorkers: 2,
    restoreMocks: true,
    unstubEnvs: true,
    allowOnly: false,
  },
})
