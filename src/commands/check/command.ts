import { Command } from 'commander'
import type { Io } from '../terminal/io.ts'
import type { CheckOptions } from './check.ts'
import { addWorkSettings } from '../terminal/settings.ts'

const EXAMPLES = `
Examples:
  clink-worker check                          configuration, handlers, and the routes in their order
  clink-worker check --clink clink.json       which route takes it, and why those before it do not

Exit codes: 0 all well (warnings may be printed), 78 configuration, handlers, or with --online no key, 77 key refused, 75 state directory or
shared store not usable for now, 69 service away.
`

export function checkCommand(io: Io): Command {
  const command = new Command('check')
    .description('is everything as it must be? configuration and handlers; with --online also the service')
    .option('--online', 'also the key, its permissions, the groups, the clock and the backlog')
    .option(
      '--clink <file|id>',
      'which route takes this clink and why; a file, - for standard input, or an id that waits',
    )
    .option('--json', 'the report as JSON')
  return addWorkSettings(command)
    .addHelpText('after', EXAMPLES)
    .action(async (options: CheckOptions) => {
      const { runChecks } = await import('./check.ts')
      io.finish(await runChecks(options, io))
    })
}
