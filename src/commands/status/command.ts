import { Command } from 'commander'
import type { Io } from '../terminal/io.ts'
import { addSettings } from '../terminal/settings.ts'
import type { StatusOptions } from './status.ts'
import { timeoutOf } from './timeout.ts'

const EXAMPLES = `
Examples:
  clink-worker status            what it does, what keeps it from working, and what to type next
  clink-worker status --watch    once a second, until Ctrl-C
  clink-worker status --json     for programs: schema/status.schema.json describes it
  clink-worker status --audit    what operators did: when, who, what, and why
  clink-worker status --fleet    the workers with the same state.url: what each does, and when it was seen

Exit code 1 where no worker answers. Whether the worker is alive or ready, health says by its exit code.
`

export function statusCommand(io: Io): Command {
  const command = new Command('status')
    .description('what the running worker does, and what keeps it from working')
    .option('--watch', 'again and again')
    .option('--audit', 'what operators did with it, with the worker running or not')
    .option('--fleet', 'the workers that remember together, with one of them running here or not')
    .option('--json', 'JSON; one line each with --watch')
    .option('--state <dir>', 'state directory, instead of the configured one')
    .option(
      '--timeout <duration>',
      'how long to wait for the answer (default: 5s; with --audit and --fleet as long as other commands wait)',
    )
    .addHelpText('after', EXAMPLES)
  return addSettings(command).action(async (options: StatusOptions) => {
    timeoutOf(options)
    if (options.fleet === true) return await (await import('./fleet.ts')).showFleet(options, io)
    const { showAudit, showStatus } = await import('./status.ts')
    return await (options.audit === true ? showAudit(options, io) : showStatus(options, io))
  })
}
