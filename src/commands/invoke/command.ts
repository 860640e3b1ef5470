import { Command } from 'commander'
import { CodedError } from '../../base/coded-error.ts'
import type { Io } from '../terminal/io.ts'
import type { InvokeOptions } from './invoke.ts'
import { addSettings, pairs } from '../terminal/settings.ts'

const EXAMPLES = `
Examples:
  clink-worker invoke handlers/hello.ts --text "hello there"
  clink-worker invoke handlers/deploy.ts --clink clink.json --with target=staging
  echo "deploy staging" | clink-worker invoke handlers/deploy.ts --group ops --text -

Nothing is sent anywhere: replies are printed, and calls of ctx.api fail.
Exit codes: 1 when the handler failed, else 0.
`

export function invokeCommand(io: Io): Command {
  const command = new Command('invoke')
    .description('run one handler on one clink, without any service')
    .argument('<file>', 'the handler file')
    .option('--text <text>', 'content of the clink; - reads standard input')
    .option('--group <slug>', 'with --text: the group that the clink is of (default: invoke)')
    .option('--clink <file>', 'the clink as a JSON file, whole or in part; - reads standard input')
    .option('--with <key=value>', "a value for the handler's ctx.with; may be repeated", pairs('--with'))
    .option('--json', 'the outcome as JSON, with replies and log lines')
  return addSettings(command)
    .addHelpText('after', EXAMPLES)
    .action(async (file: string, options: InvokeOptions) => {
      if ((options.text === undefined) === (options.clink === undefined)) {
        throw new CodedError('USAGE', 'give the clink with either --text or --clink')
      }
      if (options.group !== undefined && options.text === undefined)
        throw new CodedError('USAGE', '--group is for --text: a clink of --clink has its own group_slug')
      const { invoke } = await import('./invoke.ts')
      io.finish(await invoke(file, options, io))
    })
}
