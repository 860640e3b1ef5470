import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import type { HandleFunction } from '../../src/handlers/handler.ts'
import { handleOf } from '../support/target.ts'
import { TransportError, type Transport, type TransportResponse } from '../../src/clink/transport.ts'
import { configured, findBreach, silentOfReach } from './broken-rules.ts'
import type { Breakage } from './life.ts'
import { GROUP } from './plan-scope.ts'
import { NO_ROUTE, type Plan } from './plan.ts'
import type { SeedOptions } from './run-seed.ts'
import { SAYS, type WordName } from './world.ts'

async function isNoticed(
  word: WordName,
  options: SeedOptions,
  promise: string,
  says: RegExp,
  first?: number,
): Promise<boolean> {
  const spoken: SeedOptions = { vocabulary: [word], ...options }
  return (await findBreach(spoken, ({ rule, text }) => rule === promise && says.test(text), first)) !== undefined
}

/** A worker with another configuration than its plan says. */
function miswired(change: (config: Config) => Config): Breakage {
  return { parts: (real) => ({ ...real, config: change(real.config) }) }
}

/** Takes a page for the service's word. */
const gullible = (real: Transport): Transport => ({
  send: async (request) => {
    const answer = await real.send(request)
    const isPage = answer.status >= 400 && answer.status < 500 && !answer.body.includes('"success":')
    return isPage ? { ...answer, body: '{"success":false,"error":"refused"}' } : answer
  },
})

/** Takes whatever goes wrong with a list for a refusal of its key. */
const timid = (real: Transport): Transport => ({
  send: async (request) => {
    const answer = await real.send(request)
    return answer.status >= 500 && request.path.startsWith('/inbox') ? { ...answer, status: 401 } : answer
  },
})

/** Asks each list a hundred times over. */
const eager = (real: Transport): Transport => ({
  send: async (request) => {
    if (request.path.startsWith('/inbox') && !request.path.includes('claim=true'))
      for (let index = 0; index < 100; index += 1) void real.send(request).catch(() => undefined)
    return await real.send(request)
  },
})

/** Takes each claim of a poll for one of a minute. */
const credulous = (real: Transport): Transport => ({
  send: async (request) => {
    const answer = await real.send(request)
    if (!request.path.includes('claim=true') || answer.status !== 200) return answer
    const times = '"claimed_at":"2027-01-01T00:00:00.000Z","claim_expires_at":"2027-01-01T00:01:00.000Z"'
    const body = answer.body.replaceAll(/"status":"(pending|claimed)"/g, `"status":"claimed",${times}`)
    return { ...answer, body }
  },
})

/** Takes a claim by id that was not answered for one that was never sent. */
const hopeful = (real: Transport): Transport => ({
  send: async (request) => {
    try {
      return await real.send(request)
    } catch (error) {
      if (!request.path.endsWith('/claim') || !(error instanceof TransportError)) throw error
      throw new TransportError(error.kind, 'no', error.message)
    }
  },
})

const NOTHING: TransportResponse = {
  status: 200,
  headers: {},
  body: '{"success":true,"data":{"clinks":[],"count":0,"claimed_count":0}}',
}

/** After a while it sees nothing of the inbox any more. */
function blind(after: number): Breakage['transport'] {
  let seen = 0
  return (real) => ({
    send: async (request) => {
      if (!request.path.startsWith('/inbox')) return await real.send(request)
      seen += 1
      return seen > after ? NOTHING : await real.send(request)
    },
  })
}

/** Whatever it sees for the first time has to cool down. */
const coy: Breakage['parts'] = (real) => {
  const seen = new Set<string>()
  const { ledger } = real.state ?? {}
  if (ledger === undefined) return real
  const recall = ledger.recall.bind(ledger)
  ledger.recall = async (ids) => {
    const memories = await recall(ids)
    for (const id of ids.filter((one) => !seen.has(one))) memories(id).coolsFor = Infinity
    for (const id of ids) seen.add(id)
    return memories
  }
  return real
}

/** Each run that is done passes for a reload of the handler: whose fault the failures before it were is forgotten. */
const forgiving: Breakage['parts'] = (real) => {
  const { router } = real
  let generation = 1
  return {
    ...real,
    router: {
      ...router,
      find: async (clink, identity) => {
        const routed = await router.find(clink, identity)
        if (routed === undefined) return undefined
        const handle: HandleFunction = async (given, ctx) => {
          const result = await handleOf(routed.route)(given, ctx)
          generation += 1
          return result
        }
        return { ...routed, route: { ...routed.route, target: { is: 'module', handle }, generation } }
      },
    },
  }
}

/** Everything fails for long, nothing disturbs, and new clinks come while the route is paused. */
function failingLong(plan: Plan): Plan {
  const clinks = Array.from({ length: 40 }, (_, index) => ({
    group: GROUP,
    at: index < 20 ? 0 : 60_000,
    text: `${SAYS.quick} ${index}`,
    from: 'alice',
  }))
  const quiet = configured((config) => ({
    ...config,
    inbox: { ...config.inbox, ignore: [], groups: [], maxAge: null, for: 'open' },
    concurrency: 8,
    retry: { ...config.retry, attempts: 4, outage: 3_600_000 },
  }))(plan)
  return {
    ...quiet,
    clinks,
    people: [],
    keys: [],
    calmAt: 400_000,
    faults: { ...plan.faults, rate: 0, outages: [] },
    switches: { ...plan.switches, rateLimit: 'none', reclaim: 'renew', claimTimes: 'present', maxTimeout: 'none' },
    workers: quiet.workers.map((worker) => ({ ...worker, turns: [] })),
    world: { ...plan.world, failing: [{ from: 0, to: 390_000 }] },
  }
}

/** Claims last longer than a worker believes, and asking changes nothing: none of its clinks may be worked. */
function unbelieved(plan: Plan): Plan {
  const switches = { ...plan.switches, reclaim: 'ignore', claimTimes: 'present', defaultTimeout: 488 } as const
  return configured((config) => ({ ...config, clink: { ...config.clink, identity: 'ap_one' } }))({ ...plan, switches })
}

/** More clinks than a page shows are nobody's work, others lie behind them, and no time tells how to ask for those. */
function timeless(plan: Plan): Plan {
  const clinks = Array.from({ length: 50 }, (_, index) => {
    const text = `${index < 30 ? NO_ROUTE : SAYS.quick} ${index}`
    return { group: GROUP, at: index * 10, text, from: 'alice' }
  })
  const choosing = configured((config) => ({
    ...config,
    claim: { ...config.claim, exclusive: true },
    inbox: { ...config.inbox, claim: 'select', ignore: [], groups: [], maxAge: null, for: 'anyone' },
  }))(plan)
  return {
    ...choosing,
    clinks,
    keys: [],
    faults: { ...plan.faults, rate: 0, outages: [] },
    switches: { ...plan.switches, inboxOrder: 'oldest', maxLimit: 'cap:20', reclaim: 'renew' },
    world: { ...plan.world, times: 'words' },
  }
}

describe('the judge notices a worker, in a world with more in it,', { timeout: 120_000 }, () => {
  it('that goes on in a circle beyond its hops (P15, §5)', async () => {
    const told = configured((config) => ({ ...config, inbox: { ...config.inbox, maxHops: 3 } }))
    expect(await isNoticed('ring', { told }, 'P15', /comes of \d+ answers of workers/)).toBe(true)
  })

  it('that counts no hops in objects (P15, §5)', async () => {
    const told = configured((config) => ({ ...config, inbox: { ...config.inbox, maxHops: 3 } }))
    expect(await isNoticed('mixed', { told }, 'P15', /comes of \d+ answers of workers/)).toBe(true)
  })

  it('that turns a busy sender away (P15)', async () => {
    const breakage = miswired((config) => ({
      ...config,
      claim: { ...config.claim, exclusive: true },
      inbox: { ...config.inbox, claim: 'select', loopLimit: { count: 2, window: 600_000 } },
    }))
    expect(await isNoticed('asker', { breakage }, 'P15', /is turned away|no good reason: muted/)).toBe(true)
  })

  it('that lets clinks cool down which nobody has run (P1, P15)', async () => {
    expect(await isNoticed('late', { breakage: { parts: coy } }, 'P15', /no good reason: cooling/)).toBe(true)
  })

  it('that runs what it sent through the API (P15)', async () => {
    const transport = (real: Transport): Transport => ({
      send: async (request) => {
        const body = request.body?.replaceAll(/\\n[^\\]* · [a-z0-9 ]+/g, '').replaceAll(/([{[])(\\t)+/g, '$1')
        return await real.send(body === undefined ? request : { ...request, body })
      },
    })
    expect(await isNoticed('sends', { breakage: { transport } }, 'P15', /runs, though .* sent it/)).toBe(true)
  })

  it('that does not expect a lost renewal to have shortened its claim (P2, §2)', async () => {
    const says = /after the claim had ended|was not aborted when its claim ended/
    // One seed of forty shows it: none of the first eighty does, five of the next hundred do.
    expect(await isNoticed('shorter', { breakage: { transport: hopeful } }, 'P2', says, 81)).toBe(true)
  })

  it('that takes a page for the word of the service (§0)', async () => {
    const says = /by no answer of the service|has not said so/
    expect(await isNoticed('pages', { breakage: { transport: gullible } }, 'P2', says)).toBe(true)
  })

  it('that takes its key for refused though the service has only failed (§0, §8)', async () => {
    const says = /the key is taken for refused by no answer/
    expect(await isNoticed('page', { breakage: { transport: timid } }, 'P2', says)).toBe(true)
  })

  it('that probes a paused route with what has failed, though something fresh waits (P10, §4)', async () => {
    const options = { planned: failingLong, breakage: { transport: blind(30) } as Breakage }
    expect(await isNoticed('failing', options, 'P10', /probes the paused route/)).toBe(true)
  })

  it('that pauses a route for the failures of clinks that are at fault themselves (P10, §4)', async () => {
    const planned = configured((config) => ({ ...config, retry: { ...config.retry, attempts: 8 } }))
    const options = { planned, breakage: { parts: forgiving } }
    expect(await isNoticed('never', options, 'P10', /the route is paused after/)).toBe(true)
  })

  it('that gives runs less than the drain time (P8, §6)', async () => {
    const told = configured((config) => ({
      ...config,
      shutdown: { timeout: config.shutdown.timeout + 60_000, drain: config.shutdown.drain + 30_000 },
    }))
    expect(await isNoticed('clock-in-stop', { told }, 'P8', /ms of a stop, not/)).toBe(true)
  })

  it('that runs a clink though nobody knows how long its claim lasts (P2, §2)', async () => {
    const says = /nobody knows how long its claim lasts/
    expect(await isNoticed('absent-ignore', { breakage: { transport: credulous } }, 'P2', says)).toBe(true)
  })

  it('that asks again and again where nothing is to do (P10)', async () => {
    const says = /in a minute in which there is nothing to do/
    expect(await isNoticed('sour', { breakage: { transport: eager } }, 'P10', says)).toBe(true)
  })

  it('that is ready though it may not work what waits (P1, P12, §8)', async () => {
    const readiness = (): { ready: boolean; reasons: readonly string[] } => ({ ready: true, reasons: [] })
    expect(await isNoticed('sour', { breakage: { readiness } }, 'P1', /is pending, and .* could run it/)).toBe(true)
  })

  it('that is ready though the length of its claims is not to be believed (P1, §2)', async () => {
    const readiness = (): { ready: boolean; reasons: readonly string[] } => ({ ready: true, reasons: [] })
    const options = { planned: unbelieved, breakage: { readiness } }
    expect(await isNoticed('busy', options, 'P1', /is pending, and .* could run it/)).toBe(true)
  })

  it('that does not say that pages without times keep clinks out of its reach (P1, §3)', async () => {
    const options = { planned: timeless, breakage: { parts: silentOfReach } }
    expect(await isNoticed('times', options, 'P1', /is pending, and .* could run it/)).toBe(true)
  })
})
