import { Command } from 'commander'
import type { Io } from '../terminal/io.ts'
import { addSettings } from '../terminal/settings.ts'
import type { LogsOptions } from './logs.ts'

const EXAMPLES = `
Examples:
  clink-worker logs msg_4f…                      attempt by attempt
  clink-worker logs msg_4f… -f                   and what comes, until Ctrl-C

How much is kept, and for how long, says log.keep.
`

export function logsCommand(io: Io): Command {
  const command = new Command('logs')
    .description('what the handler and its programs said for one clink')
    .argument('<id>')
    .option('-f, --follow', 'go on with what comes')
    .option('--state <dir>', 'state directory, instead of the configured one')
    .option('--json', 'one line of JSON each')
    .addHelpText('after', EXAMPLES)
  return addSettings(command).action(async (id: string, options: LogsOptions) => {
    const { showLogs } = await import('./logs.ts')
    await showLogs(id, options, io)
  })
}
