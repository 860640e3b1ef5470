import { Command } from 'commander'
import type { StateSettings } from '../terminal/connect.ts'
import type { Io } from '../terminal/io.ts'
import { addSettings } from '../terminal/settings.ts'

const EXAMPLES = `
Examples:
  clink-worker state info                           what the state directory holds, and who holds it
  clink-worker state backup before-upgrade.db       also while the worker runs
  clink-worker state restore before-upgrade.db      after a stop: the journal that was there stays beside it

A worker that finds an older journal brings it up to date, and leaves the older one beside it (journal.db.v6): to go back to an earlier
version of clink-worker, restore that. What was settled since may run again.
`

interface StateOptions extends StateSettings {
  readonly json?: true
}

/** What the worker remembers over restarts: to look at, to copy, and to go back to. */
export function stateCommand(io: Io): Command {
  const command = new Command('state')
    .description('what the worker remembers over restarts: info, backup, restore')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
  const child = (name: string, about: string): Command =>
    addSettings(
      new Command(name).description(about).option('--state <dir>', 'state directory, instead of the configured one'),
    )
  const directoryOf = async (options: StateOptions): Promise<string> => {
    const { stateOf } = await import('../terminal/connect.ts')
    return (await stateOf(options, io)).directory
  }
  const acts = async () => await import('./state.ts')
  command.addCommand(
    child('info', 'what it holds, in numbers')
      .option('--json', 'JSON')
      .action(async (options: StateOptions) => {
        const { showState } = await acts()
        showState(await directoryOf(options), options.json === true, io)
      }),
  )
  command.addCommand(
    child('backup', 'copy the journal as it is now, also while a worker runs')
      .argument('<file>', 'a new file')
      .action(async (file: string, options: StateOptions) => {
        const { backUpState } = await acts()
        backUpState(await directoryOf(options), file, io)
      }),
  )
  command.addCommand(
    child('restore', 'put a copy into the place of the journal; no worker may run on it')
      .argument('<file>', 'a backup, or the copy from before a migration')
      .action(async (file: string, options: StateOptions) => {
        const { restoreState } = await acts()
        restoreState(await directoryOf(options), file, io)
      }),
  )
  return command
}
