import { sleep, systemClock } from '../../base/clock.ts'
import { CodedError } from '../../base/coded-error.ts'
import { tryTo } from '../../base/try-to.ts'
import type { ClinkClient } from '../../clink/client.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import { orError } from '../../clink/refusals.ts'
import type { Config } from '../../config/config.ts'
import { linkToWorker } from '../../control/client.ts'
import type { Status } from '../../control/status.ts'
import { notedFact } from '../../journal/copies.ts'
import { adviceFor } from './service-advice.ts'
import { ok, unknown, warning, type Finding } from './finding.ts'

/** Milliseconds that the running worker has to tell what it knows. */
const PATIENCE = 2_000
const SOME = 20

/** What a worker has found out about claims. Only a claim tells, so nothing is known where none has run. */
interface Known {
  readonly leases: Status['leases']
  readonly siblings: 'refused' | 'granted' | undefined
}

/** Whether sessions of one key are kept apart, answers say how long claims last, and claims are renewed. Claims nothing. */
export async function* claimFindings(client: ClinkClient, config: Config): AsyncGenerator<Finding> {
  const known = await knownBy(config)
  yield siblingsFinding(known.siblings, config)
  yield await timesFinding(client, known.leases.areTold)
  yield renewalFinding(known.leases.areRenewed)
}

async function knownBy({ clink, state }: Config): Promise<Known> {
  const status = await running(state.directory)
  const kept = status === undefined ? keptVerdict(state.directory, clink.url) : status.siblings
  const siblings = kept === 'refused' || kept === 'granted' ? kept : undefined
  return { leases: status?.leases ?? { areTold: null, areRenewed: null }, siblings }
}

async function running(directory: string): Promise<Status | undefined> {
  const link = await linkToWorker(directory).catch((error: unknown) => {
    // Nobody can listen under a path that is too long.
    if (error instanceof CodedError) return error
    throw error
  })
  if (link instanceof Error) return undefined
  const asked = link.ask('status', {}).catch((error: unknown) => {
    // One of another version may say it otherwise.
    if (error instanceof CodedError) return undefined
    throw error
  })
  try {
    return await Promise.race([asked, sleep(systemClock(), PATIENCE).then(() => undefined)])
  } finally {
    await link.close()
  }
}

/** What the last worker of this state directory has noted about this service. */
function keptVerdict(directory: string, url: string): string | undefined {
  const fact = tryTo(() => notedFact(directory, 'siblings'))
  return fact?.startsWith(`${url} `) === true ? fact.slice(url.length + 1) : undefined
}

function siblingsFinding(verdict: 'refused' | 'granted' | undefined, { claim, inbox }: Config): Finding {
  if (claim.exclusive) return ok('siblings', 'not looked at: claim.exclusive says that nobody else uses this key')
  if (verdict === 'refused')
    return ok('siblings', 'the service keeps sessions of one key apart: clinks may be claimed by id')
  if (verdict === undefined) {
    return unknown(
      'siblings',
      'whether the service keeps sessions of one key apart: no worker of this state directory has found out',
      'nothing, it is found out on the first clink that needs it; if nobody else uses this key, claim.exclusive: true says so',
    )
  }
  const advice =
    'give each worker a key of its own and set claim.exclusive: true, or leave inbox.claim at auto or batch'
  const text =
    'the service grants a claim on what another session of the same key holds: clinks are claimed by polls only'
  return inbox.claim === 'select' ? warning('siblings', text, advice) : ok('siblings', text)
}

async function timesFinding(client: ClinkClient, areTold: boolean | null): Promise<Finding> {
  const untold =
    'answers do not say how long a claim lasts: it is taken to last as long as was asked for, five minutes at most'
  const advice = 'tell whoever runs the service that a claim needs claimed_at and claim_expires_at'
  if (areTold === true) return ok('times', 'answers say how long a claim lasts, as the running worker has seen')
  if (areTold === false) return warning('times', untold, advice)
  const page = await orError(client.getClinks({ status: 'claimed', limit: SOME }))
  if (page instanceof ClinkApiError)
    return unknown('times', `claimed clinks could not be listed: ${page.message}`, adviceFor(page))
  const claimed = page.clinks.filter(({ status }) => status === 'claimed')
  const told = claimed.filter((one) => typeof one.claim_expires_at === 'string' && typeof one.claimed_at === 'string')
  if (claimed.length === 0)
    return unknown('times', 'whether answers say how long a claim lasts: no clink is claimed now')
  if (told.length > 0) return ok('times', 'claimed clinks say since when and until when they are')
  return warning('times', 'claimed clinks are listed without claimed_at and claim_expires_at', advice)
}

function renewalFinding(areRenewed: boolean | null): Finding {
  if (areRenewed === true) return ok('renewal', 'the service renews claims, as the running worker has seen')
  if (areRenewed === null)
    return unknown(
      'renewal',
      'whether the service renews claims: only a worker that runs for longer than a part of claim.timeout finds out',
    )
  const advice = 'set claim.timeout longer than the longest run of a handler'
  return warning('renewal', 'the service does not renew claims, as the running worker has seen', advice)
}
