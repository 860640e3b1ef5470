import { Command } from 'commander'
import { runTask } from './task.ts'

/** For the list of commands: `cli.ts` goes to `task.ts` by itself, without what other commands need. */
export function taskCommand(): Command {
  return new Command('task')
    .description('for programs that the worker runs: reply, step, sleep, log, keepalive, mask, draining')
    .helpOption(false)
    .allowUnknownOption()
    .argument('[words...]')
    .action((words: readonly string[]) => runTask(words))
}
