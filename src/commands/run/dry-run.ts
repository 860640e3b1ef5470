import { forMe } from '../../config/for-me.ts'
import { printable } from '../../observe/printable.ts'
import { connect } from '../terminal/connect.ts'
import type { Io } from '../terminal/io.ts'
import { ClinkJudge, type Judged } from '../terminal/judge-clinks.ts'
import { loadMinded } from '../terminal/load-handlers.ts'
import type { SettingsOptions } from '../terminal/settings.ts'
import { table } from '../terminal/table.ts'
import { ageOf, excerpt } from '../terminal/text.ts'

/** The most that one page holds. */
const PAGE = 100

/** Lists what waits, and which route each clink would take and why, or why it would be left alone. Claims nothing. */
export async function dryRun(options: SettingsOptions & { readonly json?: true }, io: Io): Promise<void> {
  const { client, config, issue } = await connect(options, io)
  const handlers = await loadMinded({ config, cwd: io.cwd, generation: 1, issue }, io)
  const judge = new ClinkJudge({ config, handlers, client }, io)
  const { clinks, malformed } = await client.checkInbox({ limit: PAGE, for_me: forMe(config) })
  const judged = await Promise.all((await judge.begin(clinks)).map(async (clink) => await judge.judge(clink)))
  if (options.json === true) {
    io.out(`${JSON.stringify({ pending: judged, malformed })}\n`)
    return
  }
  io.out(judged.length === 0 ? 'nothing is pending\n' : table(judged.map(row)))
  for (const { id, problem } of malformed) io.problem(`left alone: ${id ?? 'a clink without an id'}: ${problem}`)
  if (clinks.length >= PAGE) io.problem(`only the first ${PAGE} are shown`)
}

function row({ clink, route, why }: Judged): string[] {
  return [
    printable(clink.clink_id),
    printable(clink.group_slug ?? clink.group_id),
    printable(clink.sender_name),
    ageOf(clink.created_at, Date.now()),
    route === null ? `→ ${why}: left alone` : `→ ${route} (${why})`,
    excerpt(clink.content),
  ]
}
