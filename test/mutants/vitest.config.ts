import { defineConfig } from 'vitest/config'

/** For Stryker, which runs the tests of a part one after the other. */
export default defineConfig({
  test: {
    include: (process.env['MUTANTS_JUDGES'] ?? '').split(' '),
    testTimeout: 60_000,
    restoreMocks: true,
    unstubEnvs: true,
    watch: false,
  },
})
