import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { describe, expect, it } from 'vitest'
import { hasTelemetry } from '../../src/base/telemetry.ts'
import type { Transport } from '../../src/clink/transport.ts'
import { openTraces, type Traces } from '../../src/traces/traces.ts'
import { Application, httpRunner } from '../support/application.ts'
import { Bench, obey, until } from '../support/harness.ts'
import { patientDelay } from '../support/patient-time.ts'
import { execRunner, sh } from '../support/programs.ts'
import { envelopeOf, noServices } from '../support/task-services.ts'
import { threadTargets } from '../support/thread-targets.ts'
import { Telemetry } from '../support/telemetry.ts'

const HANDLER = 'clink_worker.route'

async function open(bench: Bench): Promise<Traces> {
  const traces = await openTraces(bench.emulator.url)
  if (traces === undefined) throw new Error('no SDK is registered')
  return traces
}

async function spans(telemetry: Telemetry, type: string, count = 1): Promise<readonly ReadableSpan[]> {
  await until(() => telemetry.all(type).length >= count, `${count} spans of type ${type}`)
  return telemetry.all(type)
}

async function span(telemetry: Telemetry, type: string): Promise<ReadableSpan> {
  const [first] = await spans(telemetry, type)
  if (first === undefined) throw new Error('unreachable')
  return first
}

describe('§7: traces', () => {
  it('nothing is loaded, and nothing listens, where nobody has registered an SDK', async () => {
    expect(hasTelemetry()).toBe(false)
    expect(await openTraces('http://127.0.0.1:1')).toBeUndefined()
  })

  it('a look that claims, each run and each settlement have a span; a settlement belongs to its run', async () => {
    const telemetry = Telemetry.register()
    await using bench = await Bench.open()
    const ids = bench.sendMany(3)
    bench.work(() => 'a secret answer', { traces: await open(bench) })
    await bench.completed(ids)
    const settled = await spans(telemetry, 'settle', 3)
    const look = await span(telemetry, 'receive')
    const runs = await spans(telemetry, 'process', 3)
    const { port } = new URL(bench.emulator.url)
    const common = { 'messaging.system.name': 'clink', 'server.address': '127.0.0.1', 'server.port': Number(port) }
    const ops = { ...common, 'messaging.destination.name': 'ops' }
    expect(look).toMatchObject({ name: 'claim ops', kind: SpanKind.CLIENT, parentSpanContext: undefined })
    expect(look.attributes).toEqual({
      ...ops,
      'messaging.operation.name': 'claim',
      'messaging.operation.type': 'receive',
      'messaging.batch.message_count': 3,
    })
    expect(runs.map(({ attributes }) => attributes['messaging.message.id'])).toEqual(ids)
    const [run] = runs
    expect(run).toMatchObject({ name: 'process ops', kind: SpanKind.CONSUMER, parentSpanContext: undefined })
    expect(run?.status).toEqual({ code: SpanStatusCode.UNSET })
    expect(run?.attributes).toEqual({
      ...ops,
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.message.id': ids[0],
      [HANDLER]: 'test',
      'clink_worker.attempt': 1,
      'clink_worker.outcome': 'done',
    })
    expect(run?.links.map(({ context }) => context)).toEqual([look.spanContext()])
    const own = settled.find(({ attributes }) => attributes['messaging.message.id'] === ids[0])
    expect(own).toMatchObject({ name: 'complete ops', kind: SpanKind.CLIENT, parentSpanContext: run?.spanContext() })
    expect(own?.attributes).toMatchObject({
      'messaging.operation.name': 'complete',
      'messaging.operation.type': 'settle',
    })
    const shown = telemetry.all().map(({ attributes, events, name, status }) => ({ attributes, events, name, status }))
    expect(JSON.stringify(shown)).not.toMatch(/task 0|secret answer|bob/)
  })

  it('what a handler traces itself is a part of its run', async () => {
    const telemetry = Telemetry.register()
    await using bench = await Bench.open()
    const ids = bench.sendMany(2)
    bench.work(
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 1))
        trace.getTracer('mine').startSpan('ask the model').end()
      },
      { traces: await open(bench) },
    )
    await bench.completed(ids)
    const runs = await spans(telemetry, 'process', 2)
    const mine = telemetry.all().filter(({ name }) => name === 'ask the model')
    const byId = (a = '', b = ''): number => a.localeCompare(b)
    expect(mine.map((one) => one.parentSpanContext?.spanId).toSorted(byId)).toEqual(
      runs.map((one) => one.spanContext().spanId).toSorted(byId),
    )
  })

  it('what a handler asks for is a part of its run, and what the worker asks for itself is not', async () => {
    Telemetry.register()
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const asked: { readonly path: string; readonly isWithin: boolean }[] = []
    const wrap = (inner: Transport): Transport => ({
      send: (request) => {
        asked.push({ path: request.path, isWithin: trace.getActiveSpan() !== undefined })
        return inner.send(request)
      },
    })
    // The handler waits until its request is sent again: for that the worker sets its timer in the handler's turn, and nothing sets it anew.
    bench.fault({ operation: 'list_groups', times: 1 }, { status: 503 })
    const id = bench.send('x')
    bench.work(
      async (_, ctx) => {
        await ctx.api.listGroups()
        await patientDelay(2_000)
      },
      { traces: await open(bench), wrap, settings: { claim: { timeout: 2_000 }, concurrency: 1 } },
    )
    await bench.completed(id)
    const within = asked.filter(({ isWithin }) => isWithin).map(({ path }) => path)
    expect(asked.filter(({ path }) => path.includes('/claim')).length).toBeGreaterThan(1)
    expect(within).toEqual(['/groups', '/groups'])
  })

  it('a run that fails says so, and nothing that its clink says; the next run is linked to it', async () => {
    const telemetry = Telemetry.register()
    await using bench = await Bench.open()
    const id = bench.send('my secret')
    bench.work(
      ({ content }, { attempt }) => {
        if (attempt === 1) throw new TypeError(`no number: ${content}`)
      },
      { traces: await open(bench), settings: { retry: { attempts: 2, backoff: 10 } } },
    )
    await bench.completed(id)
    await spans(telemetry, 'settle')
    const [first, second] = await spans(telemetry, 'process', 2)
    expect(first?.status).toEqual({ code: SpanStatusCode.ERROR, message: 'the handler threw an error' })
    expect(first?.attributes).toMatchObject({ 'error.type': 'TypeError', 'clink_worker.outcome': 'failed' })
    const [exception] = first?.events ?? []
    expect(exception).toMatchObject({
      name: 'exception',
      attributes: { 'exception.type': 'TypeError', 'exception.message': 'the handler threw an error' },
    })
    expect(exception?.attributes?.['exception.stacktrace']).toMatch(/^TypeError\n\s+at .*traces\.test\.ts/)
    expect(JSON.stringify(exception)).not.toContain('secret')
    expect(second?.attributes).toMatchObject({ 'clink_worker.attempt': 2 })
    expect(second?.links.map(({ context }) => context)).toEqual([first?.spanContext()])
    expect(second?.spanContext().traceId).not.toBe(first?.spanContext().traceId)
    const [settled] = telemetry.all('settle')
    expect(settled?.parentSpanContext).toEqual(second?.spanContext())
  })

  it('a claim that is lost ends its run as an error', async () => {
    const telemetry = Telemetry.register()
    await using bench = await Bench.open({ switches: { reclaim: 'refuse', defaultTimeout: 2 } })
    const id = bench.send('x')
    const station = bench.work(async (_, ctx) => await obey(ctx), {
      traces: await open(bench),
      settings: { claim: { timeout: 2_000 } },
    })
    await station.seen('clink.lost', id)
    const run = await span(telemetry, 'process')
    expect(run.attributes).toMatchObject({ 'error.type': 'lease-lost', 'clink_worker.outcome': 'lost' })
    expect(run.events.map(({ name }) => name)).toContain('clink.lost')
    expect(telemetry.all('settle')).toEqual([])
  })

  it('a settlement shows the tries that have failed, and a look that fails is an error', async () => {
    const telemetry = Telemetry.register()
    await using bench = await Bench.open()
    bench.fault({ operation: 'check_inbox', times: 3 }, { status: 503 })
    bench.fault({ operation: 'complete_clink', times: 2 }, { status: 500 })
    const id = bench.send('x')
    bench.work(() => {}, { traces: await open(bench) })
    await bench.completed(id)
    const settled = await span(telemetry, 'settle')
    expect(settled.events.map(({ attributes, name }) => [name, attributes?.['error.type']])).toEqual([
      ['clink.settlementFailed', '500'],
      ['clink.settlementFailed', '500'],
    ])
    const failed = telemetry.all('receive').find(({ name }) => name === 'claim')
    expect(failed).toMatchObject({ status: { code: SpanStatusCode.ERROR }, events: [{ name: 'exception' }] })
    expect(failed?.attributes).toMatchObject({ 'error.type': '503' })
  })

  it('a clink that is given back has a span for it', async () => {
    const telemetry = Telemetry.register()
    await using bench = await Bench.open()
    bench.send('x')
    bench.work((_, ctx) => ctx.release(), { traces: await open(bench) })
    const released = await span(telemetry, 'settle')
    expect(released).toMatchObject({ name: 'release ops', status: { code: SpanStatusCode.UNSET } })
    const run = await span(telemetry, 'process')
    expect(released.parentSpanContext).toEqual(run.spanContext())
  })

  it('a program is told its span, by its environment and in its envelope', async () => {
    const telemetry = Telemetry.register()
    await using bench = await Bench.open()
    const id = bench.send('x')
    const target = sh('read -r envelope; echo "$TRACEPARENT"; echo "$envelope"')
    bench.work(() => {}, { runner: execRunner(), target, traces: await open(bench) })
    await bench.completed(id)
    const run = await span(telemetry, 'process')
    const { spanId, traceId } = run.spanContext()
    const answer = bench.emulator.clinks().find(({ sender_id: sender }) => sender !== undefined && sender !== 'bob')
    const said = bench.emulator.clinks().map(({ content }) => content)
    expect(answer).toBeDefined()
    expect(said).toContainEqual(
      expect.stringMatching(new RegExp(`^00-${traceId}-${spanId}-01\n\\{.*"traceparent":"00-${traceId}-${spanId}-01"`)),
    )
  })

  it('an application is told its span by a header', async () => {
    const telemetry = Telemetry.register()
    await using bench = await Bench.open()
    await using application = await Application.open(() => 'done')
    const id = bench.send('x')
    bench.work(() => {}, { runner: httpRunner(), target: application.target(), traces: await open(bench) })
    await bench.completed(id)
    const { spanId, traceId } = (await span(telemetry, 'process')).spanContext()
    expect(application.requests[0]?.headers['traceparent']).toBe(`00-${traceId}-${spanId}-01`)
  })

  it('measures by the names of the conventions', async () => {
    const telemetry = Telemetry.register()
    await using bench = await Bench.open()
    const ids = bench.sendMany(2)
    bench.work(() => {}, { traces: await open(bench) })
    await bench.completed(ids)
    await spans(telemetry, 'settle', 2)
    const ops = { 'messaging.system.name': 'clink', 'messaging.destination.name': 'ops' }
    expect(await telemetry.measured('messaging.client.consumed.messages')).toMatchObject([
      { attributes: { ...ops, 'messaging.operation.name': 'claim' }, value: 2 },
    ])
    expect(await telemetry.measured('messaging.process.duration')).toMatchObject([
      { attributes: { ...ops, 'messaging.operation.name': 'process', [HANDLER]: 'test' }, value: 2 },
    ])
    expect(await telemetry.measured('messaging.client.operation.duration')).toContainEqual(
      expect.objectContaining({
        attributes: expect.objectContaining({ ...ops, 'messaging.operation.name': 'complete' }),
        value: 2,
      }),
    )
  })

  it('a handler in a thread is within its run, where an SDK is registered there as well', async () => {
    const telemetry = Telemetry.register()
    await using bench = await Bench.open()
    const id = bench.send('x')
    // As `--import` would have done it in this thread.
    const api = JSON.stringify(import.meta.resolve('@opentelemetry/api'))
    const hooks = JSON.stringify(import.meta.resolve('@opentelemetry/context-async-hooks'))
    const sdk = JSON.stringify(import.meta.resolve('@opentelemetry/sdk-trace-base'))
    const target = await threadTargets({
      work: `await (async () => {
        const { context, trace } = await import(${api})
        const { AsyncLocalStorageContextManager } = await import(${hooks})
        const { BasicTracerProvider } = await import(${sdk})
        context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
        trace.setGlobalTracerProvider(new BasicTracerProvider({}))
        return async () => {
          await new Promise((resolve) => setTimeout(resolve, 1))
          return trace.getActiveSpan()?.spanContext().spanId
        }
      })()`,
    })
    bench.work(() => {}, { target: target('work'), traces: await open(bench) })
    await bench.completed(id)
    const run = await span(telemetry, 'process')
    expect(bench.emulator.clinks().map(({ content }) => content)).toContainEqual(
      expect.stringContaining(run.spanContext().spanId),
    )
  })

  it('what still runs at the end is ended as an error', async () => {
    const telemetry = Telemetry.register()
    const traces = await openTraces('https://clink.example/api')
    const runner = traces?.around({ start: () => ({ ended: new Promise(() => {}) }) })
    const { signal } = new AbortController()
    const task = { envelope: envelopeOf(), env: {}, services: noServices, signals: { abort: signal, draining: signal } }
    void runner?.start({ ...task, target: { is: 'module', handle: () => {} } })
    await traces?.stop()
    const run = await span(telemetry, 'process')
    expect(run.attributes).toMatchObject({ 'error.type': 'left-behind', 'server.port': 443 })
  })
})
