#!/usr/bin/env node
// No static imports: an older Node must get as far as the sentence below, whatever the rest of the program needs.

/**
 * While `run` is still loading, nothing is claimed and leaving is a whole stop. Without this the kernel would drop a TERM for
 * process 1 of a container, and an early reload would kill the service.
 */
function mindEarlySignals(): void {
  const { isatty } = process.getBuiltinModule('node:tty')
  const isInTerminal = process.pid !== 1 && [0, 1, 2].some((fd) => isatty(fd))
  // oxlint-disable-next-line unicorn/no-process-exit -- there is nothing yet that could end in order
  const leave = (): void => process.exit(0)
  process.on('SIGTERM', leave).on('SIGINT', leave)
  // Where a terminal closes, or a service is to reload.
  process.on('SIGHUP', isInTerminal ? leave : () => {})
  process.on('SIGUSR2', () => {})
}

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

if (major > 22 || (major === 22 && minor >= 22)) {
  if (process.argv[2] === 'run') mindEarlySignals()
  if (process.argv[2] === 'task') {
    // Programs call this in loops: it loads nothing else.
    const { runTask } = await import('./commands/task/task.ts')
    runTask(process.argv.slice(3))
  } else {
    const { main } = await import('./commands/program.ts')
    await main()
  }
} else {
  process.stderr.write(
    `clink-worker: this is Node ${process.versions.node}, and clink-worker needs 22.22 or newer: ` +
      'run "npm install node@24" in your project and start it with "npx clink-worker"\n',
  )
  process.exitCode = 78
}
