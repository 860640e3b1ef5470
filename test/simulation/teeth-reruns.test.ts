import { describe, expect, it } from 'vitest'
import { TransportError, type Transport, type TransportRequest } from '../../src/clink/transport.ts'
import type { DeadLetter } from '../../src/ledger/dead-letters.ts'
import { findBreach } from './broken-rules.ts'
import type { Breach } from './judge.ts'
import type { Breakage } from './life.ts'
import type { Plan } from './plan.ts'
import type { SeedOptions } from './run-seed.ts'
import { misread } from './altered.ts'

/** In each seed letters are written and retried, again and again, and now and then one is discarded. */
function looksAfterLetters(plan: Plan): Plan {
  const { calmAt } = plan
  const turns = ['retry', 'retry', 'discard', 'retry', 'retry', 'retry'] as const
  return {
    ...plan,
    workers: plan.workers.map((worker) => {
      const retry = { ...worker.config.retry, attempts: 1, onExhausted: 'complete' as const }
      return { ...worker, config: { ...worker.config, retry } }
    }),
    letters: plan.workers.flatMap(({ name }) =>
      turns.map((what, index) => {
        const which = what === 'discard' ? ('one' as const) : ('all' as const)
        return { at: calmAt * (0.3 + index * 0.1), worker: name, which, what }
      }),
    ),
  }
}

async function isNoticed(options: SeedOptions, promise: string, says: RegExp): Promise<boolean> {
  const planned = { planned: looksAfterLetters, ...options }
  return (await findBreach(planned, ({ rule, text }) => rule === promise && says.test(text))) !== undefined
}

/** A journal whose letters read otherwise than they were written. */
function letters(read: (letter: DeadLetter) => DeadLetter): Breakage {
  return { tables: (real) => ({ ...real, letters: misread(real.letters, (letter) => letter && read(letter)) }) }
}

const isResult = ({ path, body }: TransportRequest): boolean =>
  path.endsWith('/clinks') && body?.includes('<msg_') === true

/** What becomes of a request that carries the result of a rerun. */
function sending(send: (request: TransportRequest, real: Transport) => ReturnType<Transport['send']>): Breakage {
  return {
    transport: (real) => ({
      send: async (request) => await (isResult(request) ? send(request, real) : real.send(request)),
    }),
  }
}

describe('the judge notices a worker', { timeout: 120_000 }, () => {
  it('that runs letters again which nobody has retried (P10, §5)', async () => {
    const breakage = letters((letter) => (letter.tell === 'complete' ? { rerun: { step: 'due' }, ...letter } : letter))
    expect(await isNoticed({ breakage }, 'P10', /without a claim, and nobody has retried it/)).toBe(true)
  })

  it('that runs clinks again which it has given up and forgotten (P10)', async () => {
    const tables: Breakage['tables'] = (real) => ({ ...real, letters: misread(real.letters, () => undefined) })
    const says = /runs though it was given up at/
    expect(await isNoticed({ breakage: { tables }, planned: (plan) => plan }, 'P10', says)).toBe(true)
  })

  it('that runs a letter again although it was discarded (P10)', async () => {
    const breakage = letters(({ discarded: _, ...letter }) => ({ rerun: { step: 'due' }, ...letter }))
    expect(await isNoticed({ breakage }, 'P10', /though its letter was discarded/)).toBe(true)
  })

  it('that forgets with a letter that it was retried (P1, P9)', async () => {
    const breakage = letters(({ rerun: _, ...letter }) => letter)
    expect(await isNoticed({ breakage }, 'P1', /to be run again by hand, and nothing has come of it/)).toBe(true)
  })

  it('that computes the result of a rerun again (P5, §5)', async () => {
    const breakage = letters((letter) =>
      letter.rerun?.step === 'ready' ? { ...letter, rerun: { step: 'due' } } : letter,
    )
    expect(await isNoticed({ breakage }, 'P5', /runs again though it gave a result/)).toBe(true)
  })

  it('that gives up the result of a rerun which the service has not refused (P1, §5)', async () => {
    const refusal = { status: 400, headers: {}, body: '{"success":false,"error":"invalid","message":"no"}' }
    const breakage = sending(async () => await Promise.resolve(refusal))
    const isIt = ({ rule, text }: Breach): boolean => rule === 'P1' && text.endsWith('could run it')
    expect(await findBreach({ breakage, vocabulary: [] }, isIt, 1_003_214)).toBeDefined()
  })

  it('that sends the result of a rerun again because no answer came (P5, §5)', async () => {
    const breakage = sending(async (request, real) => {
      try {
        return await real.send(request)
      } catch (error) {
        if (error instanceof TransportError && error.sent === 'maybe') return await real.send(request)
        throw error
      }
    })
    expect(await isNoticed({ breakage }, 'P5', /again after #\d+, and nobody has asked for that/)).toBe(true)
  })

  it('that sends what it completes as a clink as well (P5)', async () => {
    const transport = (real: Transport): Transport => ({
      send: async (request) => {
        const body = request.body ?? ''
        const { response } = JSON.parse(body === '' ? '{}' : body) as { response?: string }
        if (request.path.endsWith('/complete') && response !== undefined) {
          const path = '/groups/6f1f6f0e-0f7b-4c0e-9a53-5d6c1f0a7b01/clinks'
          await real.send({ ...request, path, body: JSON.stringify({ content: response }) })
        }
        return await real.send(request)
      },
    })
    expect(await isNoticed({ breakage: { transport } }, 'P5', /that was computed under a claim/)).toBe(true)
  })

  it('whose results of reruns reach nobody (P5)', async () => {
    const record = {
      clink_id: 'msg_none',
      group_id: 'g',
      sender_id: 's',
      sender_name: 's',
      content: 'c',
      status: 'pending',
    }
    const data = { ...record, created_at: '2027-01-01T00:00:00.000Z' }
    const breakage = sending(async () => {
      return await Promise.resolve({ status: 200, headers: {}, body: JSON.stringify({ success: true, data }) })
    })
    expect(await isNoticed({ breakage }, 'P5', /has reached nobody, and nothing is said of it/)).toBe(true)
  })

  it('that tells everybody what a rerun has come to (P5)', async () => {
    const breakage = sending(async (request, real) => {
      const { content } = JSON.parse(request.body ?? '') as { content: string }
      return await real.send({ ...request, body: JSON.stringify({ content }) })
    })
    expect(await isNoticed({ breakage }, 'P5', /has reached somebody else/)).toBe(true)
  })

  it('that gives more than half of its slots to reruns (P6)', async () => {
    const told: SeedOptions['told'] = (plan) => ({
      ...plan,
      workers: plan.workers.map((worker) => ({ ...worker, config: { ...worker.config, concurrency: 2 } })),
    })
    expect(await isNoticed({ told }, 'P6', /letters are run again at once, not 1/)).toBe(true)
  })
})
