import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { TransportError, type Transport } from '../../src/clink/transport.ts'
import { findBreach } from './broken-rules.ts'
import type { SeedOptions } from './run-seed.ts'

async function isNoticed(options: SeedOptions, promise: string, says: RegExp): Promise<boolean> {
  return (await findBreach(options, ({ rule, text }) => rule === promise && says.test(text))) !== undefined
}

/** Asks for more than the worker wants, and gives it no more than it wanted. */
const greedy = (real: Transport): Transport => ({
  send: async (request) => {
    if (!request.path.includes('claim=true')) return await real.send(request)
    const answer = await real.send({
      ...request,
      path: request.path.replace(/limit=(\d+)/, (_, n) => `limit=${Number(n) + 1}`),
    })
    return answer.status === 200
      ? { ...answer, body: '{"success":true,"data":{"clinks":[],"count":0,"claimed_count":0}}' }
      : answer
  },
})

/** Claims whatever there is, however much the worker wants. */
const insatiable = (real: Transport): Transport => ({
  send: async (request) => await real.send({ ...request, path: request.path.replace(/limit=\d+/, 'limit=50') }),
})

/** Claims all that a list shows. */
const grasping = (real: Transport): Transport => ({
  send: async (request) => {
    if (request.path.includes('status=pending') || /inbox\?(?!.*claim=true)/.test(request.path)) {
      const answer = await real.send(request)
      for (const id of answer.body.matchAll(/"clink_id":"(msg_[^"]+)"/g)) {
        const { deadline: _, ...rest } = request
        void real.send({ ...rest, method: 'POST', path: `/clinks/${id[1]}/claim`, body: '{}' }).catch(() => undefined)
      }
      return answer
    }
    return await real.send(request)
  },
})

/** Takes what was sent and not answered for never sent. */
const careless = (real: Transport): Transport => ({
  send: async (request) => {
    try {
      return await real.send(request)
    } catch (error) {
      if (!(error instanceof TransportError) || !request.path.includes('claim=true')) throw error
      throw new TransportError(error.kind, 'no', error.message)
    }
  },
})

/** Takes a claim by id for one that was never made, while it is on its way. */
const impatient = (real: Transport): Transport => ({
  send: async (request) => {
    const answer = real.send(request)
    if (!/\/clinks\/[^/]+\/claim$/.test(request.path)) return await answer
    answer.catch(() => undefined)
    throw new TransportError('reset', 'no', 'nobody waits for it')
  },
})

/** The judge is told of another configuration than the worker. */
const told = (inbox: Partial<Config['inbox']>): SeedOptions => ({
  told: (plan) => ({
    ...plan,
    workers: plan.workers.map((worker) => {
      const { config } = worker
      return { ...worker, config: { ...config, inbox: { ...config.inbox, ...inbox } } }
    }),
  }),
})

/** Believes of each page that others have won a part of it. */
const modest = (real: Transport): Transport => ({
  send: async (request) => {
    const answer = await real.send(request)
    const body = answer.body.replace(/"claimed_count":(\d+)/, (_, n) => `"claimed_count":${Math.max(0, Number(n) - 1)}`)
    return request.path.includes('claim=true') ? { ...answer, body } : answer
  },
})

describe('the judge notices a worker', { timeout: 120_000 }, () => {
  it('that asks a poll for one clink more than can start (P6)', async () => {
    expect(await isNoticed({ breakage: { transport: greedy } }, 'P6', /asks for more than/)).toBe(true)
  })

  it('with which more waits than can start (P6)', async () => {
    expect(await isNoticed({ breakage: { transport: insatiable } }, 'P6', /claimed and waiting beside/)).toBe(true)
  })

  it('that claims by id whatever it sees listed (P6)', async () => {
    expect(await isNoticed({ breakage: { transport: grasping } }, 'P6', /asks for more than/)).toBe(true)
  })

  it('that keeps no slots free for what a lost poll may have claimed (P6, P7)', async () => {
    const text = /asks for more than .* [1-9]\d* claims lost/
    expect(await isNoticed({ breakage: { transport: careless } }, 'P6', text)).toBe(true)
  })

  it('that keeps no slots free for its claims by id that are on their way (P6)', async () => {
    const text = /\(claim\) asks for more than .* [1-9]\d* claims under way/
    expect(await isNoticed({ breakage: { transport: impatient } }, 'P6', text)).toBe(true)
  })

  it.for([
    ['senders that it ignores', { ignore: ['user_alice'] }, /runs though it is not wanted/],
    ['groups that it does not serve', { groups: ['nowhere'] }, /runs though it is not wanted/],
    ['what is for nobody, though it wants its own', { for: 'me' }, /runs though it is not wanted/],
    ['what is too old', { maxAge: 0 }, /is claimed though it is too old/],
    ['everything, by polls that claim', { ignore: ['user_nobody'] }, /polls with claiming on/],
  ] as const)('that works %s (P6, §3)', async ([, inbox, text]) => {
    expect(await isNoticed(told(inbox), 'P6', text)).toBe(true)
  })

  it('that takes nothing of pages that it has won whole (P1, §1)', async () => {
    const text = /is (pending|claimed), and .* could run it/
    expect(await isNoticed({ breakage: { transport: modest } }, 'P1', text)).toBe(true)
  })

  it('that goes round in a circle in which no time passes', async () => {
    const clock: NonNullable<SeedOptions['breakage']>['clock'] = (real) => ({
      now: () => real.now(),
      wall: () => real.wall(),
      at: (_time, run) => real.at(real.now(), run),
    })
    expect(await isNoticed({ breakage: { clock } }, 'live', /turns/)).toBe(true)
  })
})
