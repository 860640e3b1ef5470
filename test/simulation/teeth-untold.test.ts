import { describe, expect, it, vi } from 'vitest'
import { TransportError, type Transport } from '../../src/clink/transport.ts'
import { Parked } from '../../src/worker/admission/parked.ts'
import { configured, findBreach } from './broken-rules.ts'
import { misread } from './altered.ts'
import { GROUP } from './plan-scope.ts'
import { NO_ROUTE, type Plan } from './plan.ts'
import type { SeedOptions } from './run-seed.ts'

async function isNoticed(options: SeedOptions, promise: string, says: RegExp): Promise<boolean> {
  return (await findBreach(options, ({ rule, text }) => rule === promise && says.test(text))) !== undefined
}

/** Records name some senders as if they were others, and answers the ids of what they have sent. */
const misnaming = (plan: Plan): Plan => ({
  ...configured((config) => ({ ...config, inbox: { ...config.inbox, for: 'anyone', ignore: [], maxAge: null } }))(plan),
  switches: { ...plan.switches, ownClinks: 'shown', responseId: 'present', inboxOrder: 'oldest' },
  world: { ...plan.world, field: { name: 'sender_id', as: 'number', every: 3 } },
})

/** Polls tell no lengths, questions are not answered, and what is parked has run out for long when its worker stops. */
const untold = (plan: Plan): Plan => {
  const choosing = configured((config) => ({
    ...config,
    claim: { ...config.claim, timeout: 120_000 },
    inbox: { ...config.inbox, claim: 'batch', ignore: [], groups: [], maxAge: null, for: 'anyone', loopLimit: null },
  }))(plan)
  const stop = { at: 40_000, what: 'stop', ms: 1_000 } as const
  return {
    ...choosing,
    clinks: [{ group: GROUP, at: 0, text: NO_ROUTE, from: 'alice' }, ...plan.clinks],
    keys: [],
    workers: choosing.workers.map((worker) => ({ ...worker, turns: [stop] })),
    switches: { ...plan.switches, pollRecords: 'snapshot', defaultTimeout: 30, maxTimeout: 'none' },
  }
}

const unanswered = (real: Transport): Transport => ({
  send: async (request) => {
    if (!request.path.endsWith('/claim')) return await real.send(request)
    throw new TransportError('reset', 'maybe', 'nobody answers')
  },
})

/** Somebody completes clinks by hand all the time. */
const busyHands = (plan: Plan): Plan => {
  const people = Array.from({ length: 40 }, (_, n) => ({ at: (plan.calmAt * n) / 40, what: 'complete' as const }))
  return { ...plan, people }
}

/** A claim of half a minute is believed to last for five: what was parked runs under a later one, and then the worker stops. */
const cooling = (plan: Plan): Plan => {
  const choosing = configured((config) => ({
    ...config,
    claim: { ...config.claim, timeout: 300_000, maxHold: 300_000 },
    inbox: { ...config.inbox, claim: 'batch', ignore: [], groups: [], maxAge: null, for: 'anyone', loopLimit: null },
    retry: { ...config.retry, cooldown: 10_000 },
    shutdown: { timeout: 30_000, drain: 25_000 },
  }))(plan)
  const turns = [1, 2, 3].map((n) => ({ at: n * 100_000 - 40_000, what: 'stop', ms: 1_000 }) as const)
  return {
    ...choosing,
    lease: 30_000,
    calmAt: 300_000,
    faults: { ...plan.faults, rate: 0, outages: [] },
    keys: [],
    workers: choosing.workers.map((worker) => ({ ...worker, turns })),
    switches: {
      ...plan.switches,
      claimTimes: 'absent',
      pollRecords: 'claimed',
      defaultTimeout: 30,
      maxTimeout: 'cap:30',
      reclaim: 'renew',
    },
  }
}

describe('the judge notices a worker, where answers say less than all,', { timeout: 120_000 }, () => {
  it('that forgets what it has sent, though it was told the id (P15, §5)', async () => {
    const breakage: SeedOptions['breakage'] = {
      tables: (real) => ({ ...real, own: misread(real.own, () => undefined) }),
    }
    const options: SeedOptions = { vocabulary: ['asker'], planned: misnaming, breakage }
    expect(await isNoticed(options, 'P15', /runs, though .* sent it/)).toBe(true)
  })

  it('that gives back what a poll has claimed, later than it may believe in that (P2, §2)', async () => {
    const told = configured((config) => ({ ...config, claim: { ...config.claim, timeout: 31_000 } }))
    const options: SeedOptions = { planned: untold, told, breakage: { transport: unanswered } }
    expect(await isNoticed(options, 'P2', /release \S+ was sent after the claim had ended/)).toBe(true)
  })

  it('that does not say what it parks (P1)', async () => {
    const breakage: SeedOptions['breakage'] = {
      parts: (real) => ({
        ...real,
        emit: (event) => {
          if (event.event !== 'clink.parked') real.emit(event)
        },
      }),
    }
    const options: SeedOptions = { vocabulary: ['absent-ignore'], breakage }
    expect(await isNoticed(options, 'P1', /ran out and nothing was said/)).toBe(true)
  })

  it('that gives back at a stop what runs under a later claim than the one that was parked (P2, P8)', async () => {
    const told = [
      vi.spyOn(Parked.prototype, 'handOver').mockReturnValue(),
      vi.spyOn(Parked.prototype, 'follow').mockReturnValue(),
    ]
    // Each process gives a clink back when it has it for the first time.
    const handle: NonNullable<SeedOptions['breakage']>['handle'] = (real) => {
      const known = new Set<string>()
      return (clink, ctx) => {
        if (known.has(clink.clink_id)) return real(clink, ctx)
        known.add(clink.clink_id)
        return ctx.release('not yet')
      }
    }
    const options: SeedOptions = { planned: cooling, breakage: { handle } }
    const isIt = await isNoticed(options, 'P2', /\(release\) takes \S+ from its run/)
    for (const spy of told) spy.mockRestore()
    expect(isIt).toBe(true)
  })

  it('that takes a bare refusal of its completion for the end of its clink, without a look (P2, §0)', async () => {
    const transport = (real: Transport): Transport => ({
      send: async (request) => {
        const answer = await real.send(request)
        const isBare = request.path.endsWith('/complete') && answer.status >= 400 && answer.status < 500
        return isBare ? { ...answer, body: '{"success":false,"error":"refused"}' } : answer
      },
    })
    const options: SeedOptions = { vocabulary: ['bare'], planned: busyHands, breakage: { transport } }
    expect(await isNoticed(options, 'P2', /settled elsewhere, by no answer of the service/)).toBe(true)
  })
})
