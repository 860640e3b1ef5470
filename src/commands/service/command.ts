import { Command } from 'commander'
import type { Io } from '../terminal/io.ts'
import type { ChangeOptions } from './install.ts'

const EXAMPLES = `
Examples:
  clink-worker service install                  a service of the system, with /etc/clink-worker/config.yaml
  clink-worker service install ops              one of several, with /etc/clink-worker/ops/config.yaml
  clink-worker service install --user           a service of your own, with ~/.config/clink-worker/config.yaml
  clink-worker service status
  clink-worker service uninstall ops            its configuration, key and state stay

Nothing is asked, and nothing is started: the next commands are printed. docs/systemd.md has more.
`

/** The systemd service of this installation. */
export function serviceCommand(io: Io): Command {
  const command = new Command('service')
    .description('the systemd service of this installation: install, status, uninstall')
    .helpCommand(false)
    .addHelpText('after', EXAMPLES)
  const install = change('install', 'write its unit, with the paths of this installation')
    .option('--config <file>', 'configuration; the key lies beside it, in clink-api-key')
    .action(async (name: string | undefined, options: ChangeOptions) => {
      const acts = await import('./install.ts')
      acts.install(name, options, io)
    })
  const uninstall = change('uninstall', 'end it and remove its unit').action(
    async (name: string | undefined, options: ChangeOptions) => {
      const acts = await import('./install.ts')
      acts.uninstall(name, options, io)
    },
  )
  const status = common('status', 'what systemd knows of it; exit code 1 when it does not run, or is not there')
    .option('--json', 'JSON')
    .action(async (name: string | undefined, options: ChangeOptions & { readonly json?: true }) => {
      const acts = await import('./status.ts')
      acts.status(name, options, io)
    })
  for (const child of [install, status, uninstall]) command.addCommand(child)
  return command
}

function common(name: string, about: string): Command {
  return new Command(name)
    .description(about)
    .argument('[name]', 'of one of several services')
    .option('--user', 'a service of this user, and not of the system')
}

function change(name: string, about: string): Command {
  return common(name, about).option('--force', 'also where the unit was written or changed by somebody else')
}
