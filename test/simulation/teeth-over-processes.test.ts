import { describe, expect, it } from 'vitest'
import type { LedgerTables } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { findBreach } from './broken-rules.ts'
import type { Breach } from './judge.ts'
import type { Breakage } from './life.ts'
import { misread } from './altered.ts'
import { KILLER, type Plan } from './plan.ts'
import { GROUP } from './plan-scope.ts'
import type { SeedOptions } from './run-seed.ts'

type Rows = keyof LedgerTables

/** A journal that forgets with each process what is in this table; what belongs there of clinks in hand as well. */
function forgetting(name: Rows): SeedOptions {
  const tables: Breakage['tables'] = (real) => {
    for (const [id, { attempts, claim, result }] of real.claims.entries()) {
      if (name === 'attempts') void real.claims.set(id, result === undefined ? { claim } : { claim, result })
      if (name === 'results') void real.claims.set(id, attempts === undefined ? { claim } : { attempts, claim })
    }
    return { ...real, [name]: memoryTables()[name] }
  }
  return { breakage: { tables } }
}

/** Each seed has a clink that ends its processes, and nobody loses a disk. */
function withKiller(plan: Plan): Plan {
  const clinks = [...plan.clinks, { group: GROUP, at: plan.calmAt * 0.3, text: KILLER, from: 'alice' }]
  return { ...plan, clinks, restarts: { ...plan.restarts, newState: 0 } }
}

/** All workers use one key, claim by poll, and lose many answers; any session of the key may claim what another holds. */
function amongSiblings(plan: Plan): Plan {
  const [first] = plan.workers
  return {
    ...plan,
    switches: { ...plan.switches, identity: 'key', reclaim: 'renew', claimTimes: 'present', claimedVisible: 'yes' },
    faults: { ...plan.faults, rate: 0.4 },
    workers: plan.workers.map((worker) => {
      const { config } = worker
      return {
        ...worker,
        owner: first?.owner ?? worker.owner,
        key: first?.key ?? worker.key,
        config: {
          ...config,
          clink: { ...config.clink, identity: 'auto' },
          claim: { ...config.claim, exclusive: false },
          inbox: { ...config.inbox, claim: 'batch', for: 'open', ignore: [] },
        },
      }
    }),
  }
}

/** Its second session is told that it may not have what the first one holds, whatever the service would say. */
const refusesSiblings: Breakage = {
  transport: (real) => ({
    send: async (request) => {
      const isSecond = request.headers['x-clink-session-id']?.endsWith('-sibling') === true
      if (!isSecond) return await real.send(request)
      return { status: 409, headers: {}, body: JSON.stringify({ success: false, error: 'conflict' }) }
    },
  }),
}

describe('the judge notices a worker, over its processes,', { timeout: 60_000 }, () => {
  it('that forgets results with its process (P5)', async () => {
    const breach = await findBreach(forgetting('results'), ({ rule }) => rule === 'P5', 25)
    expect(breach?.text).toMatch(/runs again though/)
  })

  it('that forgets its claims with its process (P9)', async () => {
    const breach = await findBreach(forgetting('claims'), ({ rule }) => rule === 'P9')
    expect(breach?.text).toMatch(/is not held on to/)
  })

  it('that forgets its claims with its process where routes are known late (P9)', async () => {
    const options = { ...forgetting('claims'), vocabulary: ['patterns'] as const }
    const breach = await findBreach(options, ({ rule }) => rule === 'P9')
    expect(breach?.text).toMatch(/is not held on to/)
  })

  it('that forgets with its process what it has given up (P10)', async () => {
    const text = /though (it was rejected|\d+ attempts had failed)/
    const isIt = (breach: Breach): boolean => breach.rule === 'P10' && text.test(breach.text)
    expect(await findBreach(forgetting('letters'), isIt)).toBeDefined()
  })

  it('that forgets attempts with its process (P10)', async () => {
    const breach = await findBreach(forgetting('attempts'), ({ rule }) => rule === 'P10', 10)
    expect(breach?.text).toMatch(/starts (as attempt|\d+(\.\d+)? ms after a failure)/)
  })

  it('that forgets with its process what has outlived its claims (P10)', async () => {
    const planned = (plan: Plan): Plan => {
      const switches = { ...plan.switches, reclaim: 'refuse', claimTimes: 'present', pollRecords: 'claimed' } as const
      return { ...plan, switches, restarts: { ...plan.restarts, newState: 0 } }
    }
    const isIt = ({ rule, text }: Breach): boolean => rule === 'P10' && text.includes('though it has outlived')
    expect(await findBreach({ ...forgetting('attempts'), planned }, isIt, 17)).toBeDefined()
  })

  it('that forgets with its process what it is to leave alone for a while (P10)', async () => {
    const breach = await findBreach(forgetting('cooling'), ({ rule }) => rule === 'P10', 15)
    expect(breach?.text).toMatch(/after a release, within the cooldown/)
  })

  it('that does not count crashes (P9)', async () => {
    const tables: Breakage['tables'] = (real) => ({
      ...real,
      facts: misread(real.facts, (fact, name) => (name === 'crashes' ? undefined : fact)),
    })
    const breach = await findBreach({ breakage: { tables }, planned: withKiller }, ({ rule }) => rule === 'P9')
    expect(breach?.text).toMatch(/has ended \d+ processes/)
  })

  it('that counts a crash against what ran beside the clink that made it (P9)', async () => {
    const tables: Breakage['tables'] = (real) => {
      const running = [...real.claims.entries()].findLast(([, { claim }]) => claim.running)?.[0]
      return {
        ...real,
        facts: misread(real.facts, (fact, name) => (name === 'alone' ? running : fact)),
      }
    }
    const breach = await findBreach({ breakage: { tables }, planned: withKiller }, ({ rule }) => rule === 'P9')
    expect(breach?.text).toMatch(/is given up for \d crashes/)
  })

  it('that claims by id without having found out about siblings (P3)', async () => {
    const parts: Breakage['parts'] = (real) => {
      const { claim } = real.config
      return { ...real, config: { ...real.config, claim: { ...claim, exclusive: true } } }
    }
    const breach = await findBreach({ breakage: { parts } }, ({ rule }) => rule === 'P3')
    expect(breach?.text).toMatch(/was claimed by id and runs/)
  })

  it('that takes up what a sibling has claimed (P3)', async () => {
    const options = { breakage: refusesSiblings, planned: amongSiblings }
    const breach = await findBreach(options, ({ rule }) => rule === 'P3')
    expect(breach?.text).toMatch(/also runs in/)
  })
})
