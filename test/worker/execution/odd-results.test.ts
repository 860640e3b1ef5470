import { describe, expect, it } from 'vitest'
import { LONGEST } from '../../../src/base/cut-text.ts'
import type { HandlerContext } from '../../../src/handlers/handler.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, obey, until } from '../../support/harness.ts'

const cyclic: Record<string, unknown> = {}
cyclic['itself'] = cyclic
const { proxy: revoked, revoke } = Proxy.revocable({}, {})
revoke()
const hostile = new Proxy(
  {},
  {
    get: () => {
      throw new Error('no')
    },
    ownKeys: () => {
      throw new Error('no')
    },
    getPrototypeOf: () => {
      throw new Error('no')
    },
  },
)
let deep: unknown = 'bottom'
for (let n = 0; n < 100_000; n += 1) deep = [deep]
const long = 'x'.repeat(1_000_000)

const odd: Readonly<Record<string, (ctx: HandlerContext) => unknown>> = {
  'returns what contains itself': () => cyclic,
  'returns a bigint': () => ({ value: 7n }),
  'returns what is too deep': () => deep,
  'returns a toJSON that throws': () => ({
    toJSON: () => {
      throw new Error('no')
    },
  }),
  'returns a revoked proxy': () => revoked,
  'returns a proxy that throws': () => hostile,
  'returns half a surrogate pair': () => '\uD83E',
  'returns a megabyte': () => long,
  'throws a megabyte': () => {
    throw new Error(long, { cause: new AggregateError([new Error(long)], long) })
  },
  'throws a proxy': () => {
    // oxlint-disable-next-line typescript/only-throw-error -- anything may be thrown
    throw hostile
  },
  'throws an error whose message throws': () => {
    throw Object.defineProperty(new Error('odd'), 'message', {
      get: () => {
        throw new Error('no')
      },
    })
  },
  'rejects with a megabyte': (ctx) => ctx.reject(long),
  'logs what cannot be shown': (ctx) => {
    ctx.log.info(long, { cyclic, deep, hostile, revoked, long, big: 7n })
    return 'done'
  },
}

describe('P1: one clink’s fault never ends the worker', () => {
  it.for(Object.entries(odd))('a handler that %s', async ([, handle]) => {
    await using bench = await Bench.open()
    const id = bench.send('odd')
    const next = bench.send('next')
    const ledger = new Ledger(memoryTables())
    const station = bench.work(({ content }, ctx) => (content === 'odd' ? (handle(ctx) as string) : 'done'), {
      settings: { retry: { attempts: 2, backoff: 20, maxBackoff: 20 } },
      ledger,
    })
    await bench.completed(next)
    const hasEnded = (): boolean => bench.status(id) === 'completed' || ledger.letters.get(id) !== undefined
    await until(hasEnded, 'it is done or a dead letter')
    expect(station.all('worker.failed')).toEqual([])
    const letter = ledger.letters.get(id)
    for (const text of [letter?.reason ?? '', ...(letter?.errors ?? [])])
      expect(text.length).toBeLessThanOrEqual(LONGEST.error)
    for (const { error, message, reason } of station.events.map((event): Record<string, unknown> => ({ ...event }))) {
      const texts = [message, reason, error instanceof Error ? error.message : '']
      for (const text of texts) expect(String(text).length).toBeLessThanOrEqual(LONGEST.error)
    }
    expect(await station.daemon.settledLiveness()).toMatchObject({ alive: true })
  })

  it('a result that came too late keeps 64 KiB, and says that it is cut', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const away = bench.fault({ operation: 'claim_clink' }, { status: 503 })
    bench.send('odd')
    const ledger = new Ledger(memoryTables())
    const station = bench.work(
      async (_, ctx) => {
        if (station.runs.length > 1) return 'done'
        await obey(ctx).catch(() => {})
        away.remove()
        return long
      },
      { ledger },
    )
    await until(() => ledger.late.all().length === 1, 'its late result is kept')
    const [{ response = '' } = {}] = ledger.late.all()
    expect(response).toHaveLength(LONGEST.result)
    expect(response).toMatch(/cut: 1000000 characters in all\]$/)
  })
})
