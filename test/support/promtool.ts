import { spawnSync } from 'node:child_process'
import type { TestContext } from 'vitest'

/** Debian's package `prometheus` has it (`npm run test:prepare`). Without it the test is skipped. */
export function needPromtool(context: Pick<TestContext, 'skip'>): void {
  const { error } = spawnSync('promtool', ['--version'])
  if (error !== undefined) context.skip('promtool is not there: npm run test:prepare installs it')
}

/** Its exit code and all that it says. */
export function promtool(args: readonly string[], input = ''): { code: number | null; said: string } {
  const { status, stderr, stdout } = spawnSync('promtool', args, { input, encoding: 'utf8' })
  return { code: status, said: stdout + stderr }
}
