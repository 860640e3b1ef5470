import { Command } from 'commander'
import type { FailedOptions } from './acts.ts'
import type { Io } from '../terminal/io.ts'
import { addSettings } from '../terminal/settings.ts'

const EXAMPLES = `
Examples:
  clink-worker failed list --group ops
  clink-worker failed list --late                results that Clink could not be told
  clink-worker failed show ID                    with the content, every error and late result
  clink-worker failed retry ID ID                run when they come, with all their attempts
  clink-worker failed retry --error ECONNREFUSED
  clink-worker failed retry --route deploy --since 2h
  clink-worker failed discard --all              no longer listed, and never run here

A clink whose sender was told that it failed (retry.onExhausted: complete) is run again by the worker without waiting for it, and its
result is sent to its sender as a new clink. Where it is not known whether that arrived, only another retry sends it again.
`

/** Clinks that the worker has given up on, whether it runs or not. */
export function failedCommand(io: Io): Command {
  const command = new Command('failed')
    .description('clinks that this worker has given up on: look, retry, discard')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
  const list = new Command('list').description('what was given up, and why')
  list.option('--late', 'results that came after their claim had ended, or that somebody else was faster than')
  addChoice(list).action(async (options: FailedOptions) => {
    const { listFailed } = await import('./acts.ts')
    await listFailed(options, io)
  })
  const show = new Command('show').description('one of them whole, with its content').argument('<id>')
  addCommon(show).action(async (id: string, options: FailedOptions) => {
    const { showFailed } = await import('./acts.ts')
    await showFailed(id, options, io)
  })
  for (const child of [list, show, changeCommand('retry', io), changeCommand('discard', io)]) command.addCommand(child)
  return command
}

const ABOUT = {
  retry: 'run them when they come, as if they were new',
  discard: 'list them no longer; they are still not run',
}

function changeCommand(what: 'retry' | 'discard', io: Io): Command {
  const command = new Command(what)
    .description(ABOUT[what])
    .argument('[id...]')
    .option('--all', 'all of them')
    .option('--note <text>', 'why, for whoever reads `status --audit`')
  return addChoice(command).action(async (ids: readonly string[], options: FailedOptions) => {
    const { changeFailed } = await import('./acts.ts')
    await changeFailed(what, ids, options, io)
  })
}

function addChoice(command: Command): Command {
  command
    .option('--group <group>', 'those of this group, by slug or id')
    .option('--route <name>', 'those of this route')
    .option('--since <time>', 'those of the last 2h, or since 2026-01-31T08:00Z')
  return addCommon(command.option('--error <text>', 'those whose reason or errors contain this text'))
}

function addCommon(command: Command): Command {
  return addSettings(command.option('--state <dir>', 'state directory, instead of the configured one')).option(
    '--json',
    'JSON',
  )
}
