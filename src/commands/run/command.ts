import { Command } from 'commander'
import { CodedError } from '../../base/coded-error.ts'
import type { Io } from '../terminal/io.ts'
import { addWorkSettings, positiveDuration, wholeNumber, type SettingsOptions } from '../terminal/settings.ts'

interface RunOptions extends SettingsOptions {
  readonly once?: true
  readonly maxTime?: string
  readonly maxClinks?: number
  readonly idleExit?: string
  readonly maxUptime?: string
  readonly dryRun?: true
  readonly json?: true
}

const EXAMPLES = `
Examples:
  clink-worker run --config /etc/clink-worker/config.yaml
  clink-worker run --once --max-time 10m      work the inbox empty, for a cron job
  clink-worker run --idle-exit 10m            and end when there was nothing to do for so long
  clink-worker run --dry-run                  what would be taken, and by which handler; takes nothing
  clink-worker run --set poll.interval=250ms --set log.format=pretty

Signals: TERM and INT finish what runs and leave; a second gives back what runs; a third leaves at once. What arrives within
a second counts as one. HUP reads configuration and handlers again, or, in a terminal, says that it is gone; USR2 logs what is in hand.
`

export function runCommand(io: Io): Command {
  const command = new Command('run')
    .description('work the inbox until told to stop')
    .option('--once', 'work the inbox empty and exit')
    .option('--max-time <duration>', 'with --once: stop after this long, as in 10m, and be gone 6s later at most')
    .option('--max-clinks <n>', 'take so many clinks, and end when those are done', wholeNumber('--max-clinks', 1, 1e9))
    .option('--idle-exit <duration>', 'end when nothing was in hand for so long, as in 10m')
    .option('--max-uptime <duration>', 'after so long take nothing more, finish what runs, and end, as in 24h')
    .option('--dry-run', 'list what would be taken and by which handler, and take nothing')
    .option('--json', 'with --dry-run: JSON')
  return addWorkSettings(command)
    .addHelpText('after', EXAMPLES)
    .action(async (options: RunOptions) => {
      const once = onceOf(options)
      const ending = endingOf(options)
      if (options.dryRun === true) {
        refuseEnding(options)
        const { dryRun } = await import('./dry-run.ts')
        return await dryRun(options, io)
      }
      if (options.json === true) {
        throw new CodedError(
          'USAGE',
          '--json is for --dry-run: add it; for log lines as JSON there is --set log.format=json',
        )
      }
      const { runWorker } = await import('./run.ts')
      io.finish(await runWorker(options, { once, ending }, io))
    })
}

/** What is listed is not worked, so nothing of this would have an effect. */
function refuseEnding({ idleExit, maxClinks, maxTime, maxUptime }: RunOptions): void {
  const given = { '--max-time': maxTime, '--max-clinks': maxClinks, '--idle-exit': idleExit, '--max-uptime': maxUptime }
  const [first] = Object.entries(given).find(([, value]) => value !== undefined) ?? []
  if (first !== undefined)
    throw new CodedError('USAGE', `--dry-run lists what waits, and works nothing: without ${first}`)
}

function onceOf({ once, maxTime }: RunOptions): { maxTime?: number } | undefined {
  if (maxTime === undefined) return once === true ? {} : undefined
  if (once !== true) throw new CodedError('USAGE', '--max-time is for --once: add it')
  return { maxTime: positiveDuration('--max-time', maxTime, '30s, 5m, 1h') }
}

function endingOf({ idleExit, maxClinks: clinks, maxUptime }: RunOptions): {
  clinks?: number
  idle?: number
  uptime?: number
} {
  return {
    ...(clinks !== undefined && { clinks }),
    ...(idleExit !== undefined && { idle: positiveDuration('--idle-exit', idleExit, '30s, 10m, 1h') }),
    ...(maxUptime !== undefined && { uptime: positiveDuration('--max-uptime', maxUptime, '30m, 24h') }),
  }
}
