import { performance } from 'node:perf_hooks'
import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { AlwaysOffSampler, BasicTracerProvider, NoopSpanProcessor, type Sampler } from '@opentelemetry/sdk-trace-base'
import { hasTelemetry } from '../src/base/telemetry.ts'
import type { Emit } from '../src/events.ts'
import type { Runner, Task } from '../src/runners/runner.ts'
import { openTraces } from '../src/traces/traces.ts'

// What traces cost: nanoseconds of one clink's facts and its run, which does nothing.

const COUNT = 200_000

const clink = {
  clink_id: 'msg_1',
  group_id: 'grp_1',
  group_slug: 'ops',
  sender_id: 'usr_1',
  sender_name: 'bob',
  content: 'deploy web',
  created_at: '2026-11-01T10:00:00Z',
  status: 'claimed',
}
const facts = { clink, route: 'work', attempt: 1 }
const { signal } = new AbortController()
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing looks at the rest
const task = {
  target: { is: 'module', handle: () => {} },
  envelope: {
    clink,
    attempt: 1,
    hops: 0,
    deadline: 0,
    idempotencyKey: '1',
    match: { route: 'work', text: '', groups: {} },
    with: {},
  },
  env: {},
  signals: { abort: signal, draining: signal },
} as unknown as Task
const ended = Promise.resolve({ outcome: 'done' } as const)
const inner: Runner = { start: () => ({ ended }) }

async function measure(what: string, note: Emit, runner: Runner): Promise<void> {
  for (const count of [COUNT / 10, COUNT]) {
    const startedAt = performance.now()
    for (let n = 0; n < count; n += 1) {
      note({ event: 'clink.claimed', ...facts, lease: 1 })
      note({ event: 'poll.succeeded', looked: true, asked: 1, received: 1, claimed: 1, duration: 1 })
      note({ event: 'clink.started', ...facts, waited: 1 })
      await runner.start(task).ended
      note({ event: 'clink.ended', ...facts, outcome: 'done', duration: 1 })
      note({ event: 'clink.completed', ...facts, presumed: false, duration: 2 })
    }
    const each = ((performance.now() - startedAt) * 1e6) / count
    if (count === COUNT) console.log(`${what}: ${each.toFixed(0)} ns a clink`)
  }
}

async function withSdk(what: string, sampler?: Sampler): Promise<void> {
  const options = { spanProcessors: [new NoopSpanProcessor()], ...(sampler && { sampler }) }
  trace.setGlobalTracerProvider(new BasicTracerProvider(options))
  const traces = await openTraces('https://clink.example')
  if (traces === undefined) throw new Error('no SDK is registered')
  await measure(what, traces.note, traces.around(inner))
  trace.disable()
}

const before = performance.now()
for (let n = 0; n < COUNT; n += 1) hasTelemetry()
console.log(`the look for an SDK, once at the start: ${(((performance.now() - before) * 1e6) / COUNT).toFixed(0)} ns`)
await measure('without an SDK', () => {}, inner)
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
await withSdk('an SDK that samples nothing', new AlwaysOffSampler())
await withSdk('an SDK that samples all', undefined)
