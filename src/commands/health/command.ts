import { Command } from 'commander'
import type { HealthOptions } from './health.ts'
import type { Io } from '../terminal/io.ts'
import { addSettings } from '../terminal/settings.ts'

const EXAMPLES = `
Examples:
  clink-worker health live     0 while its loops make progress; also while it waits, or while the service is away
  clink-worker health ready    0 while it takes work

Exit code 1, with the reasons, when it is not, or when no worker answers.
`

/** For probes: asks the worker that runs, by exit code. */
export function healthCommand(io: Io): Command {
  const command = new Command('health')
    .description('whether the running worker is alive, or takes work; for probes')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
  for (const [what, about] of [
    ['live', 'whether its loops make progress'],
    ['ready', 'whether it takes work'],
  ] as const) {
    const child = new Command(what)
      .description(about)
      .option('--state <dir>', 'state directory, instead of the configured one')
      .option('--timeout <duration>', 'how long to wait for its answer', '5s')
      .option('--json', 'JSON')
    command.addCommand(
      addSettings(child).action(async (options: HealthOptions) => {
        const { askHealth } = await import('./health.ts')
        await askHealth(what, options, io)
      }),
    )
  }
  return command
}
