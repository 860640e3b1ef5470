import { describe, expect, it, vi } from 'vitest'
import type { HandleFunction } from '../../src/handlers/handler.ts'
import { handleOf } from '../support/target.ts'
import {
  TransportError,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from '../../src/clink/transport.ts'
import { LeaseKeeper } from '../../src/worker/claim/keeper.ts'
import { ClaimHandle } from '../../src/worker/settlement/claim-handle.ts'
import { findBreach } from './broken-rules.ts'
import type { Breach } from './judge.ts'
import type { Plan } from './plan.ts'
import type { SeedOptions } from './run-seed.ts'

const isTo = (verb: string, { path }: TransportRequest): boolean => path.endsWith(`/${verb}`)

const ok = (data: unknown): TransportResponse => ({
  status: 200,
  headers: {},
  body: JSON.stringify({ success: true, data }),
})

/** A record that says what the worker hopes for, whatever the service would say. */
const record = (request: TransportRequest, minutes: number): object => ({
  clink_id: request.path.split('/')[2],
  group_id: 'g',
  sender_id: 's',
  sender_name: 's',
  content: 'c',
  created_at: '2026-01-01T00:00:00.000Z',
  status: 'claimed',
  claimed_at: '2027-01-01T00:00:00.000Z',
  claim_expires_at: new Date(Date.UTC(2027, 0, 1) + minutes * 60_000).toISOString(),
})

function answering(verb: string, answer: (request: TransportRequest) => TransportResponse): SeedOptions {
  const transport = (real: Transport): Transport => ({
    send: async (request) => (isTo(verb, request) ? answer(request) : await real.send(request)),
  })
  return { breakage: { transport } }
}

describe('the judge notices a worker', { timeout: 60_000 }, () => {
  it('that believes in renewals which never reached the service (P2)', async () => {
    let minutes = 10
    const options = answering('claim', (request) => ok(record(request, (minutes += 10))))
    expect(await findBreach(options, ({ rule }) => rule === 'P2')).toBeDefined()
  })

  it('whose clock goes at half speed (P2)', async () => {
    const clock: NonNullable<SeedOptions['breakage']>['clock'] = (real) => ({
      now: () => real.now() / 2,
      wall: () => real.wall(),
      at: (time, run) => real.at(time * 2, run),
    })
    expect(await findBreach({ breakage: { clock } }, ({ rule }) => rule === 'P2', 3)).toBeDefined()
  })

  it('that starts a handler twice at once (P3)', async () => {
    const options: SeedOptions = {
      breakage: {
        handle: (real) => async (clink, ctx) => {
          const [first] = await Promise.all([
            real(clink, ctx),
            Promise.resolve(real(clink, ctx)).catch(() => undefined),
          ])
          return first
        },
      },
    }
    expect(await findBreach(options, ({ rule }) => rule === 'P3')).toBeDefined()
  })

  it('whose handlers do not hear of their abort (P2)', async () => {
    const options: SeedOptions = {
      breakage: {
        handle: (real) => (clink, ctx) => real(clink, { ...ctx, signal: new AbortController().signal }),
      },
    }
    expect(await findBreach(options, ({ rule }) => rule === 'P2')).toBeDefined()
  })

  it('that takes its completions for taken although none arrives (P1)', async () => {
    const options = answering('complete', (request) => ok({ clink: { ...record(request, 5), status: 'completed' } }))
    expect(await findBreach(options, ({ rule }) => rule === 'P1')).toBeDefined()
  })

  it('that takes its releases for taken although none arrives (P8)', async () => {
    const options = answering('release', (request) => ok({ ...record(request, 5), status: 'pending' }))
    expect(await findBreach(options, ({ rule }) => rule === 'P8')).toBeDefined()
  })

  it('that asks a lost claiming poll again (P7)', async () => {
    const transport = (real: Transport): Transport => ({
      send: async (request) => {
        try {
          return await real.send(request)
        } catch (error) {
          const isLost = error instanceof TransportError && error.sent === 'maybe' && error.kind !== 'aborted'
          if (isLost && request.path.includes('claim=true')) return await real.send(request)
          throw error
        }
      },
    })
    expect(await findBreach({ breakage: { transport } }, ({ rule }) => rule === 'P7')).toBeDefined()
  })

  it('that renews twice at once (P4)', async () => {
    const transport = (real: Transport): Transport => ({
      send: async (request) => {
        if (isTo('claim', request)) void real.send(request).catch(() => undefined)
        return await real.send(request)
      },
    })
    expect(await findBreach({ breakage: { transport } }, ({ rule }) => rule === 'P4')).toBeDefined()
  })

  it('that renews a short claim again and again (live)', async () => {
    const planned = (plan: Plan): Plan => ({ ...plan, switches: { ...plan.switches, maxTimeout: 'cap:3' } })
    const transport = (real: Transport): Transport => ({
      send: async (request) => {
        if (isTo('claim', request)) for (let n = 0; n < 20; n += 1) void real.send(request).catch(() => undefined)
        return await real.send(request)
      },
    })
    const isIt = ({ rule, text }: Breach): boolean => rule === 'live' && /times claim \S+ in a minute/.test(text)
    expect(await findBreach({ planned, breakage: { transport } }, isIt)).toBeDefined()
  })

  it('whose polls hang for good (P12)', async () => {
    const transport = (real: Transport): Transport => ({
      send: async (request) => await (request.path.startsWith('/inbox') ? new Promise(() => {}) : real.send(request)),
    })
    expect(await findBreach({ breakage: { transport } }, ({ rule }) => rule === 'P12')).toBeDefined()
  })

  it('of which a part fails (P12)', async () => {
    const transport = (real: Transport): Transport => ({
      send: async (request) => {
        const response = await real.send(request)
        if (request.path.includes('claim=true')) throw new Error('broken')
        return response
      },
    })
    const isIt = ({ rule, text }: Breach): boolean => rule === 'P12' && text === 'the poll loop failed: broken'
    expect(await findBreach({ breakage: { transport } }, isIt)).toBeDefined()
  })

  it('that does not mark what it sends (P15)', async () => {
    const transport = (real: Transport): Transport => ({
      send: async (request) => {
        const body = request.body?.replaceAll(/\\n— clink-worker · [a-z0-9 ]+/g, '')
        return await real.send(body === undefined ? request : { ...request, body })
      },
    })
    expect(await findBreach({ breakage: { transport } }, ({ rule }) => rule === 'P15')).toBeDefined()
  })

  it('that runs more at once than it may (P11)', async () => {
    const told: SeedOptions['told'] = (plan) => ({
      ...plan,
      workers: plan.workers.map((worker) => ({ ...worker, config: { ...worker.config, concurrency: 0 } })),
    })
    expect(await findBreach({ told }, ({ rule }) => rule === 'P11')).toBeDefined()
  })

  it('that forgets what it has given up on (P10)', async () => {
    const told: SeedOptions['told'] = (plan) => ({
      ...plan,
      workers: plan.workers.map((worker) => {
        const retry = { ...worker.config.retry, attempts: 1, backoff: 60_000, maxBackoff: 60_000 }
        return { ...worker, config: { ...worker.config, retry } }
      }),
    })
    expect(await findBreach({ told }, ({ rule }) => rule === 'P10')).toBeDefined()
  })

  it('that computes a result again (P5)', async () => {
    const parts: NonNullable<SeedOptions['breakage']>['parts'] = (real) => ({
      ...real,
      router: {
        generation: real.router.generation,
        takesAll: real.router.takesAll,
        routes: real.router.routes,
        describe: () => real.router.describe(),
        find: async (clink, identity) => {
          const routed = await real.router.find(clink, identity)
          if (routed === undefined) return undefined
          const handle: HandleFunction = async (given, ctx) => {
            await handleOf(routed.route)(given, ctx)
            throw new Error('forgotten')
          }
          return { ...routed, route: { ...routed.route, target: { is: 'module', handle } } }
        },
      },
    })
    expect(await findBreach({ breakage: { parts } }, ({ rule }) => rule === 'P5')).toBeDefined()
  })

  it('whose handle settles a second time when its claim is lost while Clink is told (P1)', async () => {
    // oxlint-disable-next-line typescript/unbound-method -- called with its handle below
    const { complete: real } = ClaimHandle.prototype
    const complete = vi.spyOn(ClaimHandle.prototype, 'complete').mockImplementation(async function (
      this: ClaimHandle,
      text,
    ) {
      return { ...(await real.call(this, text)) }
    })
    const found = await findBreach({}, ({ rule, text }) => rule === 'P1' && /ends twice: clink.lost/.test(text))
    complete.mockRestore()
    expect(found).toBeDefined()
  })

  it('that says of what it acknowledges that it is left to expire as well (P1)', async () => {
    const breakage: SeedOptions['breakage'] = {
      parts: (real) => {
        const emit: typeof real.emit = (event) => {
          real.emit(event)
          if (event.event !== 'clink.completed' || 'route' in event) return
          real.emit({ event: 'clink.leftToExpire', clink: event.clink, why: 'said as well' })
        }
        return { ...real, emit }
      },
    }
    const isIt = ({ rule, text }: Breach): boolean => rule === 'P1' && /completed, then .*leftToExpire/.test(text)
    expect(await findBreach({ breakage }, isIt)).toBeDefined()
  })

  it('that gives a clink back while a renewal is on its way (P8)', async () => {
    const stop = vi.spyOn(LeaseKeeper.prototype, 'stopRenewing').mockResolvedValue()
    const found = await findBreach({}, ({ rule, text }) => rule === 'P8' && /overtakes renewal/.test(text))
    stop.mockRestore()
    expect(found).toBeDefined()
  })
})
