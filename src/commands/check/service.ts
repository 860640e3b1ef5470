import { randomUUID } from 'node:crypto'
import { EXIT } from '../../base/coded-error.ts'
import { humanDuration } from '../../base/duration.ts'
import { systemClock } from '../../base/clock.ts'
import { wallNow } from '../../base/host-time.ts'
import { readTime } from '../../base/time-text.ts'
import type { ProxyChoice } from '../../base/proxy.ts'
import type { Secret } from '../../base/secret.ts'
import { ClinkClient } from '../../clink/client.ts'
import { DateWatch } from '../../clink/date-watch.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import { GotTransport } from '../../clink/got-transport.ts'
import { isVerdict, refusesKey } from '../../clink/verdicts.ts'
import type { Config } from '../../config/config.ts'
import { forMe } from '../../config/for-me.ts'
import type { DescribedRoute } from '../../handlers/handler-set.ts'
import { claimFindings } from './claims.ts'
import { failed, isFinding, ok, unknown, warning, type Finding } from './finding.ts'
import { keyFindings } from './permissions.ts'
import { adviceFor, ask } from './service-advice.ts'
import { tlsFinding } from './tls.ts'
import { WatchedTransport } from './watched.ts'

export interface Checked {
  readonly config: Config
  readonly key: Secret
  readonly choice: ProxyChoice
  readonly routes: readonly DescribedRoute[]
  readonly env: NodeJS.ProcessEnv
}

/** Times in `Date` headers are whole seconds; leases do not depend on it, but people compare logs. */
const SKEW_WORTH_SAYING = 5_000
const PAGE = 100
/** The age of a clink that waits, in milliseconds, of which whoever looks should know. */
const OLD = 600_000

/** Asks the service. Claims nothing, changes nothing. */
export async function* checkService({ choice, config, env, key, routes }: Checked): AsyncGenerator<Finding> {
  const clock = systemClock()
  const { proxy, timeout, url } = config.clink
  const transport = new GotTransport({ url, proxy, clock })
  const watched = new WatchedTransport(transport, clock)
  const dated = new DateWatch(watched, wallNow)
  yield* proxyFinding(choice)
  const tls = await tlsFinding({ url, proxy, env })
  if (tls !== undefined) yield tls
  if (tls?.result === 'failed') return
  try {
    const client = new ClinkClient({ key, url, timeout, transport: dated, clock, attempts: 2 })
    const health = await ask('service', async () => await client.health())
    yield isFinding(health) ? health : ok('service', `${client.url} answers`)
    if (isFinding(health)) {
      if (watched.isPassedOn) yield watched.between(choice)
      return
    }
    yield clockFinding(dated.ahead)
    for await (const finding of keyFindings(client, config, routes)) {
      yield finding
      // A key that is not let in is not let in anywhere: the same words would come with each question.
      if (finding.what === 'permissions' && finding.result === 'failed') return
    }
    yield await checkBacklog(client, config, wallNow() + (dated.ahead ?? 0))
    yield await checkRefusals(client)
    yield* claimFindings(client, config)
    yield watched.latency(timeout)
    yield watched.between(choice)
  } finally {
    transport.close()
  }
}

/** @param now by the clock of the service, which says when clinks were sent. */
async function checkBacklog(client: ClinkClient, config: Config, now: number): Promise<Finding> {
  const params = { limit: PAGE, for_me: forMe(config) }
  const page = await ask('backlog', async () => await client.checkInbox(params))
  if (isFinding(page)) return page
  const { clinks, malformed } = page
  const count = clinks.length + malformed.length
  const oldest = clinks.reduce((time, { created_at }) => Math.min(time, readTime(created_at) ?? Infinity), Infinity)
  const age = oldest === Infinity ? undefined : Math.max(0, now - oldest)
  const which = count >= PAGE ? 'the oldest of these' : 'the oldest'
  const said = age === undefined ? '' : `, ${which} ${humanDuration(age)} old`
  const text = `${count >= PAGE ? `${PAGE} or more` : count} pending${said}`
  if (count < PAGE && (age ?? 0) < OLD) return ok('backlog', text)
  return warning(
    'backlog',
    text,
    'clink-worker run --dry-run says of each what it would do; clink-worker status, what a worker is kept by',
  )
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
    if (error.failure === 'foreign') return error.isBare ? bareRefusal(error) : refusalByPage(error)
    if (refusesKey(error)) return failed('refusals', error.message, EXIT.refused, adviceFor(error))
    if (isVerdict(error)) return ok('refusals', `come in the API's envelope (${error.status} to a made-up group)`)
    return warning('refusals', `how the service refuses could not be seen: ${error.message}`, adviceFor(error))
  }
  return warning('refusals', 'the service has answered for a group that does not exist')
}

function bareRefusal({ status }: ClinkApiError): Finding {
  const text = `come without the API's envelope (${status} to a made-up group): each counts only when it was given three times over 5 seconds, and whether sessions of one key are kept apart cannot be found out`
  return warning('refusals', text, 'set claim.exclusive: true if nobody else uses this key')
}

function refusalByPage({ message }: ClinkApiError): Finding {
  const text = `come as error pages, perhaps not from Clink (to a made-up group: ${message}): the worker takes them for failures and asks again`
  return warning('refusals', text, 'look at what stands in front of the service')
}

function clockFinding(ahead: number | undefined): Finding {
  if (ahead === undefined) {
    const text = 'how far the clocks are apart: the service does not say what time it is'
    return unknown('clock', text, 'nothing, claims do not depend on it')
  }
  const apart = humanDuration(Math.abs(ahead))
  if (Math.abs(ahead) < SKEW_WORTH_SAYING)
    return ok('clock', `agrees with the service within ${humanDuration(SKEW_WORTH_SAYING)}`)
  const text = `the service is ${apart} ${ahead > 0 ? 'ahead of' : 'behind'} this machine; claims do not depend on it, inbox.maxAge and times in logs do`
  return warning('clock', text, 'timedatectl says whether this machine keeps its clock')
}
