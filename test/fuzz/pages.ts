import * as fc from 'fast-check'
import type { Transport, TransportRequest, TransportResponse } from '../../src/clink/transport.ts'
import { story } from '../support/record.ts'
import { HOUR, MINUTE, VirtualBench } from '../support/virtual.ts'
import { mutated, mutations } from './mutate.ts'
import type { Note, Part } from './part.ts'

const WHERE = {
  inbox: /^\/inbox/,
  claim: /\/claim$/,
  complete: /\/complete$/,
  release: /\/release$/,
  permissions: /^\/api-keys/,
  any: /^/,
} as const

/** What is done to one answer of the service. */
const spoiling = fc.record({
  where: fc.constantFrom(...(Object.keys(WHERE) as (keyof typeof WHERE)[])),
  /** How many answers of that kind are left as they are before. */
  after: fc.nat(3),
  changes: mutations(3),
  status: fc.option(fc.constantFrom(200, 201, 302, 400, 401, 403, 404, 409, 429, 500, 503), { freq: 4 }),
  retryAfter: fc.option(fc.constantFrom('0', '3', '1e9', '-1', '9'.repeat(400), 'soon'), { freq: 6 }),
})
type Spoiling = (typeof spoiling extends fc.Arbitrary<infer T> ? T : never) & object

const TEXTS = ['quick', 'long', 'fails once', 'gives back'] as const
const world = fc.record({
  claim: fc.constantFrom('batch' as const, 'select' as const),
  texts: fc.array(fc.constantFrom(...TEXTS), { minLength: 1, maxLength: 4 }),
  spoilings: fc.array(spoiling, { minLength: 1, maxLength: 4 }),
})

/** A whole worker on virtual time, some of whose answers are spoilt: it goes on, runs nothing twice, and works what comes after. */
export const pages: Part = {
  name: 'pages',
  open: async (note) => {
    const property = fc.asyncProperty(world, async (input) => await play(input, note))
    return await Promise.resolve({ property, end: () => {} })
  },
}

type World = typeof world extends fc.Arbitrary<infer T> ? T : never

/** Whose key it is. A claim that names another one, and is well-formed, is believed until the next one denies it; who was told so twice says it. */
const US = 'ap_worker'

/** Who runs, by id, and what was answered. */
class Runs {
  readonly returned = new Map<string, number>()
  readonly #running = new Set<string>()
  readonly #failed = new Set<string>()
  problem: string | undefined

  begin(id: string): void {
    if (this.#running.has(id)) this.problem ??= `${id} runs twice at the same time`
    this.#running.add(id)
  }

  end(id: string): void {
    this.#running.delete(id)
  }

  failsFirst(id: string): boolean {
    if (this.#failed.has(id)) return false
    this.#failed.add(id)
    return true
  }

  returns(id: string): void {
    this.returned.set(id, (this.returned.get(id) ?? 0) + 1)
  }
}

async function play({ claim, spoilings, texts }: World, note: Note): Promise<void> {
  const runs = new Runs()
  let count = 0
  const bench: VirtualBench = new VirtualBench({
    settings: { inbox: { claim }, claim: { exclusive: true } },
    spoil: (inner) => spoilt(inner, spoilings, () => (count += 1)),
    handle: async ({ clink_id: id, content }, ctx) => {
      runs.begin(id)
      try {
        await bench.take(content === 'long' ? 4 * MINUTE : 2_000, ctx.signal)
        if (content === 'gives back') return ctx.release('not mine')
        if (content === 'fails once' && runs.failsFirst(id)) throw new Error('it fails once')
        runs.returns(id)
        return 'done'
      } finally {
        runs.end(id)
      }
    },
  })
  const end = { code: undefined as unknown }
  void bench.daemon.ended.then((code) => (end.code = code))
  const ids = texts.map((text) => bench.send(text))
  await bench.pass(10 * MINUTE)
  if (end.code !== undefined) throw new Error(`the worker ended with ${JSON.stringify(end.code)}`)
  const later = bench.send('quick')
  const isWorked = (): boolean => bench.emulator.clink(later)?.status === 'completed'
  // A service may ask for an hour with each of its answers.
  for (let waited = 0; waited < 6 * HOUR && !isWorked() && end.code === undefined; waited += 5 * MINUTE)
    await bench.pass(5 * MINUTE)
  if (end.code !== undefined) throw new Error(`the worker ended with ${JSON.stringify(end.code)}`)
  const isMisled = (bench.all('worker.identity').at(-1)?.identity ?? US) !== US
  if (isMisled && !isWorked()) {
    if (bench.daemon.readiness().ready)
      throw new Error(`it takes itself for another, works nothing and is ready; ${said(bench)}`)
    note('misled about itself')
    return
  }
  const storyOf = (id: string): string => story(bench.emulator, id).join(' ')
  if (runs.problem !== undefined) throw new Error(`${runs.problem}: ${ids.map(storyOf).join('; ')}`)
  if (!isWorked()) throw new Error(`what came later is not worked: ${storyOf(later)}; ${said(bench)}`)
  for (const id of [...ids, later]) {
    const happened = story(bench.emulator, id)
    const claims = happened.filter((what) => what === 'claimed').length
    const returned = runs.returned.get(id) ?? 0
    if (returned > claims) throw new Error(`${id} was run ${returned} times: ${storyOf(id)}; ${said(bench)}`)
    if (happened.filter((what) => what === 'completed').length > 1) throw new Error(`${id} completed twice`)
  }
  await bench.stop()
  if (end.code === undefined) throw new Error('the worker does not stop')
  const isAllWorked = ids.every((id) => bench.emulator.clink(id)?.status === 'completed')
  note(count === 0 ? 'nothing spoilt' : isAllWorked ? 'all worked' : 'some left')
}

function said(bench: VirtualBench): string {
  return JSON.stringify(bench.events.slice(-8)).slice(0, 3_000)
}

function spoilt(inner: Transport, spoilings: readonly Spoiling[], tell: () => void): Transport {
  const left = spoilings.map((one) => ({ ...one, isSpent: false }))
  return {
    send: async (request: TransportRequest): Promise<TransportResponse> => {
      const answer = await inner.send(request)
      const path = request.path.split('?', 1)[0] ?? ''
      const due = left.filter((one) => !one.isSpent && WHERE[one.where].test(path))
      const now = due.find((one) => one.after === 0)
      for (const one of due) if (one !== now) one.after = Math.max(0, one.after - 1)
      if (now === undefined) return answer
      now.isSpent = true
      tell()
      return {
        status: now.status ?? answer.status,
        headers: { ...answer.headers, ...(now.retryAfter !== null && { 'retry-after': now.retryAfter }) },
        body: mutated(JSON.parse(answer.body), now.changes),
      }
    },
  }
}
