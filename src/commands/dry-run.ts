import { systemClock } from '../base/clock.ts'
import type { Clink } from '../clink/records.ts'
import { forMe } from '../config/for-me.ts'
import { printable } from '../observe/printable.ts'
import { Identity } from '../keys/identity.ts'
import { Scope } from '../worker/scope.ts'
import { connect } from './connect.ts'
import { ageOf, excerpt } from './inbox.ts'
import type { Io } from './io.ts'
import { loadMinded } from './load-minded.ts'
import type { SettingsOptions } from './settings.ts'
import { table } from './table.ts'

/** The most that one page holds. */
const PAGE = 100

/** Lists what waits and the route that each clink would take. Claims nothing. */
export async function dryRun(options: SettingsOptions & { readonly json?: true }, io: Io): Promise<void> {
  const { client, config } = await connect(options, io)
  const handlers = await loadMinded({ config, cwd: io.cwd, generation: 1 }, io)
  const identity = config.clink.identity === 'auto' ? undefined : config.clink.identity
  const parts = { inbox: config.inbox, api: client, identity: new Identity(identity, () => {}), clock: systemClock() }
  const scope = new Scope({
    ...parts,
    emit: (event) => {
      if (event.event === 'inbox.unknownGroup') io.problem(`inbox.groups: there is no group ${event.group}`)
    },
  })
  await scope.resolve(new AbortController().signal)
  const { clinks, malformed } = await client.checkInbox({ limit: PAGE, for_me: forMe(config) })
  const routeOf = (clink: Clink): string | null =>
    scope.has(clink) ? (handlers.route(clink, identity)?.route.name ?? null) : null
  const taken = clinks.map((clink) => ({ clink, route: routeOf(clink) }))
  if (options.json === true) {
    io.out(`${JSON.stringify({ pending: taken, malformed })}\n`)
    return
  }
  io.out(
    taken.length === 0
      ? 'nothing is pending\n'
      : table(taken.map(({ clink, route }) => row(clink, route, scope.has(clink)))),
  )
  for (const { id, problem } of malformed) io.problem(`left alone: ${id ?? 'a clink without an id'}: ${problem}`)
  if (clinks.length >= PAGE) io.problem(`only the first ${PAGE} are shown`)
}

function row(clink: Clink, route: string | null, isWanted: boolean): string[] {
  return [
    printable(clink.clink_id),
    printable(clink.group_slug ?? clink.group_id),
    printable(clink.sender_name),
    ageOf(clink.created_at, Date.now()),
    isWanted ? `→ ${route ?? 'no route: left alone'}` : '→ not wanted: left alone',
    excerpt(clink.content),
  ]
}
