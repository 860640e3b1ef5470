import { Command, Option } from 'commander'
import type { Io } from '../terminal/io.ts'
import { LANGUAGES, type Language } from './languages.ts'

export function initCommand(io: Io): Command {
  return new Command('init')
    .description('write a configuration, a handler, its test, a README and a systemd unit to start from')
    .argument('[dir]', 'where to; made if it is not there', '.')
    .addOption(new Option('--language <name>', 'of the handler').choices(LANGUAGES).default('ts'))
    .option('--json', 'what was written and what was left, as JSON')
    .addHelpText('after', '\nNothing is ever overwritten: what is there is left as it is, and named.\n')
    .action(async (dir: string, options: { readonly json?: true; readonly language: Language }) => {
      const { writeStart } = await import('./init.ts')
      await writeStart(dir, options, io)
    })
}
