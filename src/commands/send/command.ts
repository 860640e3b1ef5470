import { Command } from 'commander'
import { CodedError } from '../../base/coded-error.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import { isUnknown } from '../../clink/verdicts.ts'
import type { Io } from '../terminal/io.ts'
import { addSettings, type SettingsOptions } from '../terminal/settings.ts'

interface SendOptions extends SettingsOptions {
  readonly for?: string
  readonly json?: true
}

const EXAMPLES = `
Examples:
  clink-worker send ops "deploy staging"
  clink-worker send ops "are you there?" --for ap_worker
  git log -1 | clink-worker send ops -
`

export function sendCommand(io: Io): Command {
  const command = new Command('send')
    .description('send a clink to a group')
    .argument('<group>', 'slug or id of the group')
    .argument('<text>', 'what to say; - reads standard input')
    .option('--for <id>', "a member's user or agent profile id; left out: for the whole group")
    .option('--json', 'the clink as JSON')
  return addSettings(command)
    .addHelpText('after', EXAMPLES)
    .action(async (group: string, text: string, options: SendOptions) => {
      const content = text === '-' ? (await io.input()).replace(/\n$/, '') : text
      if (content === '') throw new CodedError('USAGE', 'there is nothing to send: the text is empty')
      const { connect } = await import('../terminal/connect.ts')
      const { client } = await connect(options, io)
      const group_id = await client.resolveGroup({ slug: group }).catch((error: unknown) => {
        if (!(error instanceof ClinkApiError) || !isUnknown(error)) throw error
        const advice = '"clink-worker api list_groups" shows those that the key sees'
        throw new ClinkApiError(`404 there is no group with the slug ${JSON.stringify(group)}; ${advice}`, error)
      })
      const clink = await client.sendClink({ group_id, content, for: options.for })
      const to = options.for === undefined ? group : `${options.for} in ${group}`
      io.out(options.json === true ? `${JSON.stringify(clink)}\n` : `sent ${clink.clink_id} to ${to}\n`)
    })
}
