import { Command } from 'commander'
import { CodedError } from '../base/coded-error.ts'
import { packageVersion } from '../clink/version.ts'
import { apiCommand } from './api/command.ts'
import { checkCommand } from './check/command.ts'
import { devCommand } from './dev/command.ts'
import { emulateCommand } from './emulate/command.ts'
import { healthCommand } from './health/command.ts'
import { inboxCommand } from './inbox/command.ts'
import { failedCommand } from './failed/command.ts'
import { logsCommand } from './logs/command.ts'
import { initCommand } from './init/command.ts'
import { invokeCommand } from './invoke/command.ts'
import { processIo, type Io } from './terminal/io.ts'
import { sayProblem } from './terminal/problems.ts'
import { isRepeatable } from './terminal/settings.ts'
import { operateCommands } from './operate/command.ts'
import { runCommand } from './run/command.ts'
import { sendCommand } from './send/command.ts'
import { serviceCommand } from './service/command.ts'
import { statusCommand } from './status/command.ts'
import { stateCommand } from './state/command.ts'
import { taskCommand } from './task/command.ts'

const EXAMPLES = `
Examples:
  clink-worker dev                        try it here and now: no key, no configuration
  clink-worker init my-worker             a configuration, a handler and its test to start from
  clink-worker check --online             is everything as it must be?
  clink-worker run                        work the inbox until told to stop
  clink-worker send ops "deploy staging"  send a clink to the group with the slug ops

The key comes from CLINK_API_KEY, or from a file that CLINK_API_KEY_FILE names; get one at clink.voxos.ai.
Exit codes: 0 done, 1 failed, 64 usage, 69 service away, 70 internal, 75 state directory in use,
76 the worker does not answer, 77 key refused, 78 configuration.
`

/** Runs the command line and ends the process. */
export async function main(argv: readonly string[] = process.argv, io: Io = processIo()): Promise<void> {
  try {
    await makeProgram(io).parseAsync(argv)
  } catch (error) {
    io.finish(sayProblem(error, io))
  }
  await io.written()
  io.exit()
}

function makeProgram(io: Io): Command {
  const program = new Command('clink-worker')
    .description('Works a Clink inbox: claims clinks, runs your handlers, completes or releases.')
    .version(packageVersion(), '-V, --version')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
  const commands = [
    runCommand(io),
    devCommand(io),
    invokeCommand(io),
    checkCommand(io),
    initCommand(io),
    sendCommand(io),
    inboxCommand(io),
    statusCommand(io),
    ...operateCommands(io),
    failedCommand(io),
    logsCommand(io),
    healthCommand(io),
    serviceCommand(io),
    stateCommand(io),
    apiCommand(io),
    taskCommand(),
    emulateCommand(io),
  ]
  for (const command of commands) program.addCommand(command)
  speakThrough(program, io)
  refuseRepetition(program)
  return program
}

/** Help goes where output goes; errors are thrown and said in one place. */
function speakThrough(command: Command, io: Io): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => io.out(text),
    writeErr: (text) => io.out(text),
    outputError: () => {},
  })
  for (const child of command.commands) speakThrough(child, io)
}

/** Of two values one would be dropped without a word: of two routes, one would go on. */
function refuseRepetition(command: Command): void {
  for (const option of command.options.filter((one) => (one.required || one.optional) && !isRepeatable(one))) {
    let count = 0
    command.on(`option:${option.name()}`, () => {
      count += 1
      if (count > 1) throw new CodedError('USAGE', `--${option.name()} is given twice`)
    })
  }
  for (const child of command.commands) refuseRepetition(child)
}
