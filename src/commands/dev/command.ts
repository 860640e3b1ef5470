import { Command } from 'commander'
import type { Io } from '../terminal/io.ts'
import type { DevOptions } from './dev.ts'
import { addWorkSettings, wholeNumber } from '../terminal/settings.ts'

const EXAMPLES = `
Starts a Clink of its own on this machine, with people in it who keep asking for things, and works their clinks with the
handlers in ./handlers, which are loaded again when they change. Your clink-worker.yaml counts, but for its address and key.

Examples:
  clink-worker dev
  clink-worker dev --handlers ./my-handlers --no-samples
`

export function devCommand(io: Io): Command {
  const command = new Command('dev')
    .description('try it: an embedded Clink with sample clinks, and your handlers, watched')
    .option('--no-samples', 'send no sample clinks')
    .option('--port <n>', 'port of the embedded Clink; 0: any free one', wholeNumber('--port', 0, 65_535), 0)
    .option('--json', 'log lines as JSON, and nothing else on standard output')
  return addWorkSettings(command)
    .addHelpText('after', EXAMPLES)
    .action(async (options: DevOptions) => {
      const { runDev } = await import('./dev.ts')
      io.finish(await runDev(options, io))
    })
}
