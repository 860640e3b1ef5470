import { Command } from 'commander'
import type { Io } from '../terminal/io.ts'
import type { EmulateOptions } from './emulate.ts'
import { pairs, wholeNumber } from '../terminal/settings.ts'

const EXAMPLES = `
Examples:
  clink-worker emulate --port 7700
  clink-worker emulate --switch reclaim=refuse --switch defaultTimeout=10
  clink-worker emulate --seed seed.yaml --data clink.json --faults faults.yaml

The switches are the open questions about the real service; docs/emulator.md lists them.
`

export function emulateCommand(io: Io): Command {
  return new Command('emulate')
    .description('the embedded Clink alone, for tests and for trying other clients')
    .option('--seed <file>', 'groups, people and keys to begin with, as YAML')
    .option('--data <file>', 'keep what happens in this file, over restarts')
    .option('--faults <file>', 'rules for delays, errors and cut answers, as YAML or JSON')
    .option(
      '--switch <name=value>',
      'how to behave where the real service is not known; may be repeated',
      pairs('--switch'),
    )
    .option('--port <n>', '0: any free one', wholeNumber('--port', 0, 65_535), 0)
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--json', 'print address and keys as one line of JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (options: EmulateOptions) => {
      const { runEmulator } = await import('./emulate.ts')
      io.finish(await runEmulator(options, io))
    })
}
