import { Command, Option } from 'commander'
import type { InboxPage } from '../../clink/client.ts'
import { painter } from '../../observe/colour.ts'
import { printable } from '../../observe/printable.ts'
import type { Io } from '../terminal/io.ts'
import { addSettings, wholeNumber, type SettingsOptions } from '../terminal/settings.ts'
import { table } from '../terminal/table.ts'
import { ageOf, excerpt } from '../terminal/text.ts'

interface InboxOptions extends SettingsOptions {
  readonly status: 'pending' | 'claimed' | 'completed'
  readonly limit: number
  readonly all?: true
  readonly json?: true
}

export function inboxCommand(io: Io): Command {
  const command = new Command('inbox')
    .description('look at the inbox, without claiming anything')
    .addOption(
      new Option('--status <status>', 'only clinks in this state')
        .choices(['pending', 'claimed', 'completed'])
        .default('pending'),
    )
    .option('--limit <n>', 'how many at most, up to 100', wholeNumber('--limit', 1, 100), 20)
    .option('--all', 'also clinks that are addressed to others')
    .option('--json', 'JSON')
  return addSettings(command).action(async (options: InboxOptions) => {
    const { connect } = await import('../terminal/connect.ts')
    const { client } = await connect(options, io)
    const { status, limit } = options
    const page = await client.checkInbox({ status, limit, for_me: options.all !== true })
    io.out(options.json === true ? `${JSON.stringify(page)}\n` : inboxText(page, options, io))
  })
}

function inboxText({ clinks, malformed }: InboxPage, { status, limit }: InboxOptions, io: Io): string {
  const paint = painter(io.color)
  const now = Date.now()
  const rows = clinks.map((clink) => [
    paint('cyan', printable(clink.clink_id)),
    printable(clink.group_slug ?? clink.group_id),
    printable(clink.sender_name),
    ageOf(clink.created_at, now),
    excerpt(clink.content),
  ])
  const unreadable = malformed.map(
    ({ id, problem }) => `unreadable: ${printable(id ?? 'without an id')}: ${printable(problem)}\n`,
  )
  if (rows.length + unreadable.length === 0) return `no ${status} clinks\n`
  const full = rows.length >= limit ? `${paint('dim', `the first ${limit}; --limit shows more`)}\n` : ''
  return table(rows) + unreadable.join('') + full
}
