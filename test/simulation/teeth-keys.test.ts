import { describe, expect, it } from 'vitest'
import type { Transport, TransportRequest } from '../../src/clink/transport.ts'
import { findBreach } from './broken-rules.ts'
import type { Plan } from './plan.ts'
import type { KeyPlan } from './plan-keys.ts'
import type { SeedOptions } from './run-seed.ts'

/** In each seed every worker knows who it is, and gets other keys. */
const changing =
  (acts: (worker: string, key: string, owner: string, calmAt: number) => readonly KeyPlan[]) =>
  (plan: Plan): Plan => ({
    ...plan,
    switches: { ...plan.switches, pollRecords: 'claimed', identity: 'owner' },
    faults: { ...plan.faults, rate: 0, outages: [] },
    workers: plan.workers.map((worker) => {
      const { config, owner } = worker
      return { ...worker, config: { ...config, clink: { ...config.clink, identity: owner } } }
    }),
    keys: plan.workers
      .flatMap(({ name, key, owner }) => acts(name, key, owner.replace(/^(ap|user)_/, ''), plan.calmAt))
      .toSorted((a, b) => a.at - b.at),
  })

const rotating = changing((worker, _, owner, calmAt) => [
  { at: 0.2 * calmAt, what: 'write', worker, key: `${owner}-0` },
  { at: 0.4 * calmAt, what: 'write', worker, key: `${owner}-1` },
  { at: 0.6 * calmAt, what: 'write', worker, key: `${owner}-2` },
])

const mistaken = changing((worker, key, _, calmAt) => [
  { at: 0.2 * calmAt, what: 'write', worker, key: 'zed' },
  { at: 0.9 * calmAt, what: 'write', worker, key },
])

async function isNoticed(options: SeedOptions, promise: string, says: RegExp): Promise<boolean> {
  return (await findBreach(options, ({ rule, text }) => rule === promise && says.test(text))) !== undefined
}

const keyOf = ({ headers }: TransportRequest): string => headers['authorization'] ?? ''
const withKey = (request: TransportRequest, key: string): TransportRequest => ({
  ...request,
  headers: { ...request.headers, authorization: key },
})

describe('the judge notices a worker', { timeout: 120_000 }, () => {
  it.each([
    ['', undefined],
    [
      ', though some records do not say who holds their clinks',
      { name: 'claimed_by', as: 'absent', every: 3 } as const,
    ],
  ])('that works what a strange key was given%s (P15, §8)', async (_, field) => {
    let owner = ''
    const planned = (plan: Plan): Plan => {
      const workers = plan.workers.slice(0, 1)
      owner = workers[0]?.owner ?? ''
      const { field: __, ...world } = plan.world
      return mistaken({ ...plan, workers, world: { ...world, ...(field && { field }) } })
    }
    // It takes every claim of the stranger for its own.
    const transport = (real: Transport): Transport => ({
      send: async (request) => {
        const answer = await real.send(request)
        return { ...answer, body: answer.body.replaceAll('"claimed_by":"ap_zed"', `"claimed_by":"${owner}"`) }
      },
    })
    const options = { planned, breakage: { transport } }
    expect(await isNoticed(options, 'P15', /runs though the key zed has claimed it/)).toBe(true)
    expect(await isNoticed(options, 'P15', /complete is in the name of whom zed belongs to/)).toBe(true)
  })

  it('that goes on to claim with a key that it has found out to be strange (P15, §8)', async () => {
    // Once it has been used for a claim, it is used for all of them.
    let strange: string | undefined
    const transport = (real: Transport): Transport => {
      strange = undefined
      return {
        send: async (request) => {
          if (!request.path.includes('/inbox')) return await real.send(request)
          if (keyOf(request).endsWith('_zed') && request.path.includes('claim=true')) strange = keyOf(request)
          return await real.send(strange === undefined ? request : withKey(request, strange))
        },
      }
    }
    expect(await isNoticed({ planned: mistaken, breakage: { transport } }, 'P15', /was found out at/)).toBe(true)
  })

  it('that asks about its claims with whichever key is the newest (P2, §8)', async () => {
    const transport = (real: Transport): Transport => {
      let newest: string | undefined
      return {
        send: async (request) => {
          if (request.path.startsWith('/inbox')) newest = keyOf(request)
          return await real.send(newest === undefined ? request : withKey(request, newest))
        },
      }
    }
    const says = /(claim|complete|release) \S+ asks with \S+, and \S+ has claimed it/
    expect(await isNoticed({ planned: rotating, breakage: { transport } }, 'P2', says)).toBe(true)
  })

  it('that never tries a key again which was refused once (P12, §8)', async () => {
    const suspended = changing((_, key, __, calmAt) => [
      { at: 0.1 * calmAt, what: 'suspend', key },
      { at: 0.5 * calmAt, what: 'resume', key },
    ])
    const transport = (real: Transport): Transport => {
      let isRefused = false
      return {
        send: async (request) => {
          if (isRefused) return await new Promise(() => {})
          const answer = await real.send(request)
          isRefused = answer.status === 401
          return answer
        },
      }
    }
    expect(await isNoticed({ planned: suspended, breakage: { transport } }, 'P12', /though its key is good/)).toBe(true)
  })
})
