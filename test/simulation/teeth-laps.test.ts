import { describe, expect, it } from 'vitest'
import { configured, findBreach, silentOfReach } from './broken-rules.ts'
import { NO_ROUTE, type Plan } from './plan.ts'
import { GROUP } from './plan-scope.ts'
import { runSeed } from './run-seed.ts'
import { SAYS } from './world.ts'

/** Clinks without a route come first, more of them than one worker that cannot choose can hold at a time. */
function crowded(plan: Plan): Plan {
  const clinks = Array.from({ length: 200 }, (_, index) => {
    const text = `${index < 190 ? NO_ROUTE : SAYS.quick} ${index}`
    return { group: GROUP, at: index, text, from: 'alice' }
  })
  const polling = configured((config) => ({
    ...config,
    concurrency: 1,
    claim: { ...config.claim, exclusive: false },
    inbox: { ...config.inbox, claim: 'batch', ignore: [], groups: [], maxAge: null, for: 'anyone' },
  }))(plan)
  return {
    ...polling,
    clinks,
    people: [],
    keys: [],
    workers: polling.workers.slice(0, 1),
    faults: { ...plan.faults, rate: 0, outages: [] },
    switches: { ...plan.switches, inboxOrder: 'oldest', maxTimeout: 'cap:3', defaultTimeout: 3, reclaim: 'renew' },
  }
}

describe('the judge notices a worker', { timeout: 120_000 }, () => {
  it('that goes round among what is not its work and does not say so (P1, §3)', async () => {
    const options = { planned: crowded, vocabulary: ['page'] as const }
    const said = await runSeed(3, { ...options, calm: 600_000 })
    expect(said.breaches).toEqual([])
    const breach = await findBreach({ ...options, breakage: { parts: silentOfReach } }, ({ rule }) => rule === 'P1', 3)
    expect(breach?.text).toMatch(/is pending, and w1\.\d+ could run it/)
  })
})
