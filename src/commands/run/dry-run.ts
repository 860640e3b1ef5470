import { systemClock } from '../../base/clock.ts'
import type { Clink } from '../../clink/records.ts'
import type { Emit, LeftAlone } from '../../events.ts'
import { forMe } from '../../config/for-me.ts'
import { Settings } from '../../config/settings.ts'
import { printable } from '../../observe/printable.ts'
import { Identity } from '../../keys/identity.ts'
import { judge, whyUnwanted, type Unwanted } from '../../worker/admission/verdict.ts'
import { NameWarnings } from '../../worker/admission/name-warnings.ts'
import { Scope } from '../../worker/admission/scope.ts'
import { connect } from '../terminal/connect.ts'
import { ageOf, excerpt } from '../terminal/text.ts'
import type { Io } from '../terminal/io.ts'
import { loadMinded } from '../terminal/load-handlers.ts'
import type { SettingsOptions } from '../terminal/settings.ts'
import { table } from '../terminal/table.ts'

/** The most that one page holds. */
const PAGE = 100

/** Lists what waits and the route that each clink would take. Claims nothing. */
export async function dryRun(options: SettingsOptions & { readonly json?: true }, io: Io): Promise<void> {
  const { client, config } = await connect(options, io)
  const handlers = await loadMinded({ config, cwd: io.cwd, generation: 1 }, io)
  const identity = config.clink.identity === 'auto' ? undefined : config.clink.identity
  const us = new Identity(identity, () => {})
  const settings = new Settings(config)
  const scope = new Scope({
    settings,
    api: client,
    identity: us,
    clock: systemClock(),
    emit: (event) => {
      if (event.event === 'inbox.unknownGroup') io.problem(`inbox.groups: there is no group ${event.group}`)
    },
  })
  await scope.resolve(new AbortController().signal)
  const { clinks, malformed } = await client.checkInbox({ limit: PAGE, for_me: forMe(config) })
  const emit: Emit = (event) => void ('advice' in event && io.problem(event.advice))
  const names = new NameWarnings({ emit, settings }, handlers)
  const whoIs = us.id === undefined ? NOBODY : us
  const by = { ...NOTHING_KNOWN, settings, identity: whoIs, router: handlers, nameWarnings: names }
  const judged = async (clink: Clink): Promise<Judged> => {
    if (!scope.has(clink)) return { clink, route: null, leave: 'not wanted' }
    const verdict = await judge(clink, NO_MEMORY, by)
    if (!('run' in verdict)) return { clink, route: null, leave: whyLeft(verdict) }
    const { fault, route } = verdict.run
    return fault === undefined ? { clink, route: route.name } : { clink, route: null, leave: fault }
  }
  const taken = await Promise.all(clinks.map(judged))
  if (options.json === true) {
    io.out(`${JSON.stringify({ pending: taken, malformed })}\n`)
    return
  }
  io.out(taken.length === 0 ? 'nothing is pending\n' : table(taken.map(row)))
  for (const { id, problem } of malformed) io.problem(`left alone: ${id ?? 'a clink without an id'}: ${problem}`)
  if (clinks.length >= PAGE) io.problem(`only the first ${PAGE} are shown`)
}

interface Judged {
  readonly clink: Clink
  readonly route: string | null
  /** Why it would be left alone. */
  readonly leave?: string
}

/** What is remembered is in the state directory, which another worker may have. */
const NO_MEMORY = { isOwn: false, isGivenUp: false, isCooling: false, coolsFor: 0, noticeFor: () => undefined }
const NOTHING_KNOWN = {
  ledger: { recallOne: async () => await Promise.resolve(NO_MEMORY) },
  loopGuard: { isMuted: () => false },
}
/** Who we are is found out by a claim: until then what may be our own reply may be work. */
const NOBODY = { id: '', isUs: () => false }

const LEFT: Partial<Record<LeftAlone, string>> = {
  'own-reply': 'our own reply',
  note: 'a note of a worker',
  'no-route': 'no route',
  circle: 'inbox.maxHops is reached',
}

function whyLeft(verdict: Unwanted): string {
  const why = whyUnwanted(verdict)
  return LEFT[why] ?? why
}

function row({ clink, leave, route }: Judged): string[] {
  return [
    printable(clink.clink_id),
    printable(clink.group_slug ?? clink.group_id),
    printable(clink.sender_name),
    ageOf(clink.created_at, Date.now()),
    `→ ${route ?? `${leave}: left alone`}`,
    excerpt(clink.content),
  ]
}
