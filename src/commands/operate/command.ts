import { Command } from 'commander'
import { addSettings } from '../terminal/settings.ts'
import type { Io } from '../terminal/io.ts'
import type { OperateOptions } from './operate.ts'

const PAUSE = `
Examples:
  clink-worker pause --for 1h --note "database upgrade"
  clink-worker pause --route deploy             the other routes go on
  clink-worker pause --fleet --for 10m          all workers of the fleet, within seconds

Nothing is claimed any more, after a restart neither; what is in hand is worked to its end, and what a poll on its way brings is given
back. Where no worker runs, the next one of the state directory is paused. A worker of which everything is paused is not ready.
`
const RESUME = `
Without --route this ends a pause of everything, and a drain. Paused routes stay so until they are named.
What the fleet has paused stays so until --fleet is given.
`
const DRAIN = `
Examples:
  clink-worker drain --wait --timeout 2m        0 once nothing is in hand, or the worker has ended; 1 when that takes longer,
                                                or somebody resumes the worker meanwhile

What waits, backs off or sleeps is given back; what runs is asked to finish soon, and is not aborted. The process stays, and is not
ready; resume ends that, and so does a restart.
`
const STOP = `
As SIGTERM: what runs has shutdown.drain to finish, and the process ends. --wait waits for that, and ends with 70 where the worker
has left claims behind, which it names, or was ended before it had stopped; with 1 when --timeout is over first.
`
const CANCEL = `
Examples:
  clink-worker cancel msg_4f…                   abort its handler, and give the clink back; it is left alone for retry.cooldown
  clink-worker cancel msg_4f… --reject          abort its handler, and give the clink up: it is a dead letter

A handler that has a result all the same is believed. Exit code 1 where the clink is not in hand, or Clink is just being told of it.
`
const LEVEL = `
Examples:
  clink-worker log-level debug --for 10m

Without --for until the process ends, or log.level is changed in the configuration.
`

type Act = 'pause' | 'resume' | 'drain' | 'stop' | 'cancel' | 'reload' | 'logLevel'

/** What operators do with a worker. */
export function operateCommands(io: Io): readonly Command[] {
  const act = (what: Act) => async (options: OperateOptions) => await run(what, '', options)
  const actOn = (what: Act) => async (subject: string, options: OperateOptions) => await run(what, subject, options)
  const run = async (what: Act, subject: string, options: OperateOptions): Promise<void> => {
    const { operate } = await import('./operate.ts')
    await operate(what, subject, options, io)
  }
  const route = (command: Command): Command => command.option('--route <name>', 'this route and no other')
  const fleet = (command: Command): Command =>
    command.option('--fleet', 'all workers with the same state.url, whether one of them runs here or not')
  const lasting = (command: Command): Command => command.option('--for <duration>', 'for so long, as in 10m or 1h')
  return [
    lasting(fleet(route(make('pause', 'take no clinks, over restarts too', PAUSE)))).action(act('pause')),
    fleet(route(make('resume', 'take clinks again', RESUME))).action(act('resume')),
    make('drain', 'take no clinks, finish what runs, and stay', DRAIN)
      .option('--wait', 'until nothing is in hand')
      .option('--timeout <duration>', 'with --wait: no longer than this')
      .action(act('drain')),
    make('stop', 'finish what runs, and end the process', STOP)
      .option('--wait', 'until it has ended')
      .option('--timeout <duration>', 'with --wait: no longer than this')
      .action(act('stop')),
    make('cancel', 'abort the run of one clink', CANCEL)
      .argument('<id>')
      .option('--release', 'give it back (default)')
      .option('--reject', 'give it up')
      .action(actOn('cancel')),
    make('reload', 'read configuration, handlers and key file again, as SIGHUP', '').action(act('reload')),
    lasting(make('log-level', 'log more or less', LEVEL))
      .argument('<level>')
      .action(actOn('logLevel')),
  ]
}

function make(name: string, about: string, help: string): Command {
  const command = new Command(name)
    .description(about)
    .option('--note <text>', 'why, for whoever reads `status --audit`')
    .option('--state <dir>', 'state directory, instead of the configured one')
    .option('--json', 'JSON')
  return addSettings(help === '' ? command : command.addHelpText('after', help))
}
