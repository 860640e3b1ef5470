import { randomUUID } from 'node:crypto'
import { humanDuration } from '../../base/duration.ts'
import { systemClock } from '../../base/clock.ts'
import { EXIT } from '../../base/coded-error.ts'
import { readTime } from '../../base/time-text.ts'
import type { ProxyChoice } from '../../base/proxy.ts'
import type { Secret } from '../../base/secret.ts'
import { ClinkClient } from '../../clink/client.ts'
import { DateWatch } from '../../clink/date-watch.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import { GotTransport } from '../../clink/got-transport.ts'
import type { Group } from '../../clink/records.ts'
import { isVerdict } from '../../clink/verdicts.ts'
import type { Config } from '../../config/config.ts'
import { forMe } from '../../config/for-me.ts'
import { NEEDED } from '../../keys/key-check.ts'
import { attempt, isFinding, ok, warning, type Finding } from './finding.ts'

/** Times in `Date` headers are whole seconds; leases do not depend on it, but people compare logs. */
const SKEW_WORTH_SAYING = 5_000
const PAGE = 100

/** Asks the service. Claims nothing, changes nothing. */
export async function* checkService(config: Config, key: Secret, choice: ProxyChoice): AsyncGenerator<Finding> {
  const clock = systemClock()
  const { proxy, timeout, url } = config.clink
  const transport = new GotTransport({ url, proxy, clock })
  const watched = new DateWatch(transport, Date.now)
  yield* proxyFinding(choice)
  try {
    const client = new ClinkClient({ key, url, timeout, transport: watched, clock, attempts: 2 })
    const health = await ask('service', async () => await client.health())
    yield isFinding(health) ? health : ok('service', `${client.url} answers`)
    if (isFinding(health)) return
    yield clockFinding(watched.ahead)
    yield* checkKey(client, config.inbox.groups)
    yield await checkBacklog(client, config)
    yield await checkRefusals(client)
  } finally {
    transport.close()
  }
}

/** As `attempt`. What refuses one of these questions, and not the key, does not answer as Clink does: no such path, most likely. */
async function ask<T extends object>(what: string, look: () => Promise<T>): Promise<T | Finding> {
  const found = await attempt(what, look)
  return isFinding(found) && found.exit === EXIT.failed ? { ...found, exit: EXIT.unavailable } : found
}

async function* checkKey(client: ClinkClient, wanted: readonly string[]): AsyncGenerator<Finding> {
  const granted = await ask('permissions', async () => await client.getMyPermissions())
  if (isFinding(granted)) {
    yield granted
    return
  }
  const names = Object.keys(granted.permissions).filter((name) => granted.permissions[name] === true)
  const missing = NEEDED.filter((name) => !names.includes(name))
  if (missing.length > 0) {
    const detail = `the key lacks ${missing.join(' and ')}, without which nothing can be worked; it has ${names.join(', ') || 'none'}`
    yield { what: 'permissions', result: 'failed', detail, exit: EXIT.refused }
  } else {
    yield ok('permissions', `${names.join(', ')} (${granted.owner_type}, ${granted.scope_type} scope)`)
  }
  const seen = await ask('groups', async () => await client.listGroups())
  if (isFinding(seen)) yield seen
  else if (seen.groups.length > 0) yield* groupFindings(seen.groups, wanted)
  else yield warning('groups', 'the key sees no group: there will be no work')
}

function* groupFindings(seen: readonly Group[], wanted: readonly string[]): Generator<Finding> {
  const slugs = seen.map(({ slug }) => slug).join(', ')
  yield ok('groups', slugs)
  for (const group of wanted) {
    if (seen.some(({ group_id: id, slug }) => slug === group || id === group)) continue
    const detail = `inbox.groups: the key sees no group ${group}, only ${slugs}`
    yield { what: 'groups', result: 'failed', detail, exit: EXIT.config }
  }
}

async function checkBacklog(client: ClinkClient, config: Config): Promise<Finding> {
  const params = { limit: PAGE, for_me: forMe(config) }
  const page = await ask('backlog', async () => await client.checkInbox(params))
  if (isFinding(page)) return page
  const { clinks, malformed } = page
  const count = clinks.length + malformed.length
  const oldest = clinks.reduce((time, { created_at }) => Math.min(time, readTime(created_at) ?? Infinity), Infinity)
  const age = oldest === Infinity ? '' : `, the oldest ${humanDuration(Math.max(0, Date.now() - oldest))} old`
  return ok('backlog', `${count >= PAGE ? `${PAGE} or more` : count} pending${age}`)
}

/** Nothing where none is set. */
function* proxyFinding(choice: ProxyChoice): Generator<Finding> {
  if (choice.proxy !== undefined) yield ok('proxy', `${choice.proxy.address}, from ${choice.proxy.from}`)
  else if ('why' in choice) yield ok('proxy', `none: ${choice.why}`)
}

/**
 * A refusal outside the API's envelope may come from anything on the way, so the worker does not believe it. Only a try
 * tells how the service refuses.
 */
async function checkRefusals(client: ClinkClient): Promise<Finding> {
  try {
    await client.getGroup({ group_id: randomUUID() })
  } catch (error) {
    if (!(error instanceof ClinkApiError)) throw error
    if (error.failure === 'foreign') return warning('refusals', error.isBare ? bareText(error) : pageText(error))
    if (isVerdict(error)) return ok('refusals', `come in the API's envelope (${error.status} to a made-up group)`)
    return warning('refusals', `what the service refuses like could not be seen: ${error.message}`)
  }
  return warning('refusals', 'the service has answered for a group that does not exist')
}

function bareText({ status }: ClinkApiError): string {
  return `come without the API's envelope (${status} to a made-up group): each counts only when it was given three times over 5 seconds, and whether sessions of one key are kept apart cannot be found out; set claim.exclusive: true if nobody else uses this key`
}

function pageText({ message }: ClinkApiError): string {
  return `come as error pages, perhaps not from Clink (to a made-up group: ${message}): the worker takes them for failures and asks again; look at what stands in front of the service`
}

function clockFinding(ahead: number | undefined): Finding {
  if (ahead === undefined) return warning('clock', 'the service does not say what time it is')
  const apart = humanDuration(Math.abs(ahead))
  if (Math.abs(ahead) < SKEW_WORTH_SAYING) return ok('clock', 'agrees with the service')
  return warning(
    'clock',
    `the service is ${apart} ${ahead > 0 ? 'ahead of' : 'behind'} this machine; claims do not depend on it, times in logs do`,
  )
}
