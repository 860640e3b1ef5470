import { context, metrics, ProxyTracerProvider, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import type { Attributes, Link, Span, SpanContext, Tracer } from '@opentelemetry/api'
import { clearTimeout, setTimeout, wallNow } from '../base/host-time.ts'
import { Recent } from '../base/recent.ts'
import { isRecord } from '../base/record.ts'
import type { RequestWatch } from '../clink/client.ts'
import type { Clink } from '../clink/records.ts'
import { packageVersion } from '../clink/version.ts'
import type { Emit, WorkerEvent } from '../events.ts'
import type { Envelope } from '../runners/envelope.ts'
import type { Runner } from '../runners/runner.ts'
import {
  destinationOf,
  fail,
  framesOf,
  headersOf,
  OPERATION,
  systemAttributes,
  typeOf,
  type Failure,
} from './attributes.ts'
import { Looks } from './looks.ts'
import { makeMeters, type Meters } from './meters.ts'

/** The most clinks of which it is remembered what their next spans belong to. */
const REMEMBERED = 10_000
/** Milliseconds that an SDK may take to export what is left. */
const FLUSHING = 2_000
/** The failed tries that one settlement shows. */
const SHOWN = 10

type Of<Name extends WorkerEvent['event']> = Extract<WorkerEvent, { event: Name }>

/** What is known of a clink whose next span may follow. */
interface Known {
  /** By what it was claimed. */
  readonly look?: SpanContext | undefined
  /** Its last run under an earlier claim. */
  readonly before?: SpanContext | undefined
  /** Its last run under this claim, and how many milliseconds that took. */
  run?: SpanContext
  ranFor: number
  /** Tries to settle it. */
  readonly failures: { readonly at: number; readonly kind: 'complete' | 'release'; readonly type: string }[]
}

/** Makes spans of what happens, and the metrics that go with them. */
export class Tracing {
  readonly #tracer: Tracer
  readonly #meters: Meters
  readonly #common: Attributes
  readonly #looks: Looks
  readonly request: RequestWatch
  readonly #running = new Map<string, Span>()
  readonly #known = new Recent<Known>(REMEMBERED)

  constructor(url: string) {
    const version = packageVersion()
    this.#common = systemAttributes(url)
    this.#tracer = trace.getTracer('clink-worker', version)
    this.#meters = makeMeters(version, this.#common)
    this.#looks = new Looks(this.#tracer, this.#meters, this.#common)
    this.request = this.#looks.request
  }

  readonly note: Emit = (event) => {
    // Most facts have no span.
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check
    switch (event.event) {
      case 'poll.succeeded':
        return this.#looks.ended(event.duration)
      case 'poll.failed':
        return this.#looks.failed(event.error)
      case 'clink.claimed':
        return this.#claimed(event)
      case 'clink.ended':
        return this.#ended(event)
      case 'clink.lost':
        this.#running.get(event.clink.clink_id)?.addEvent('clink.lost', { cause: event.cause }, wallNow())
        // Clink was being told.
        if (event.detail !== undefined) this.#settled(event.clink, { type: 'lease-lost', why: event.cause })
        return
      case 'clink.settlementFailed':
        return this.#tried(event)
      case 'clink.completed':
        this.#settled(event.clink, undefined, 'complete', event.duration - this.#knownOf(event.clink).ranFor)
        return void this.#known.delete(event.clink.clink_id)
      case 'clink.released':
        return this.#settled(event.clink, undefined, 'release', event.duration)
      case 'clink.settledElsewhere':
        return this.#settled(event.clink, { type: 'settled-elsewhere' })
    }
  }

  readonly around = (runner: Runner): Runner => ({
    start: (task) => {
      const span = this.#begin(task.envelope)
      const headers = headersOf(span.spanContext())
      const envelope = headers === undefined ? task.envelope : { ...task.envelope, trace: headers }
      return context.with(trace.setSpan(ROOT_CONTEXT, span), () => runner.start({ ...task, envelope }))
    },
    stop: async () => await runner.stop?.(),
  })

  async stop(): Promise<void> {
    this.#looks.stop()
    for (const span of this.#running.values()) {
      fail(span, { type: 'left-behind', why: 'the worker has ended, and its code had not' })
      span.end()
    }
    this.#running.clear()
    const tracers = trace.getTracerProvider()
    const providers = [
      tracers instanceof ProxyTracerProvider ? tracers.getDelegate() : tracers,
      metrics.getMeterProvider(),
    ]
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(() => late.resolve(), FLUSHING)
    await Promise.race([Promise.allSettled(providers.map(flush)), late.promise])
    clearTimeout(timer)
  }

  #knownOf({ clink_id: id }: Clink): Known {
    let known = this.#known.get(id)
    if (known === undefined) this.#known.set(id, (known = { ranFor: 0, failures: [] }))
    return known
  }

  #claimed({ clink }: Of<'clink.claimed'>): void {
    const last = this.#known.get(clink.clink_id)
    const look = this.#looks.claimed(clink)
    this.#known.set(clink.clink_id, { look, before: last?.run ?? last?.before, ranFor: 0, failures: [] })
  }

  #begin({ attempt, clink, match }: Envelope): Span {
    const known = this.#knownOf(clink)
    const own = { 'clink_worker.route': match.route, 'clink_worker.attempt': attempt }
    const options = {
      kind: SpanKind.CONSUMER,
      attributes: { ...this.#attributesOf(clink), ...OPERATION.process, ...own },
      links: linksTo(known.run === undefined ? known.look : undefined, known.run ?? known.before),
    }
    const span = this.#tracer.startSpan(`process ${destinationOf(clink)}`, options, ROOT_CONTEXT)
    this.#running.set(clink.clink_id, span)
    return span
  }

  #ended(event: Of<'clink.ended'>): void {
    const { clink, duration, outcome, route } = event
    const span = this.#running.get(clink.clink_id)
    if (span === undefined) return
    this.#running.delete(clink.clink_id)
    const known = this.#knownOf(clink)
    known.run = span.spanContext()
    known.ranFor = duration
    const failure = failureOf(event)
    span.setAttribute('clink_worker.outcome', outcome)
    if (failure !== undefined) fail(span, failure)
    span.end()
    const error = failure === undefined ? {} : { 'error.type': failure.type }
    const group = { 'messaging.destination.name': destinationOf(clink) }
    this.#meters.process(duration, { ...OPERATION.process, ...group, ...error, 'clink_worker.route': route })
  }

  #tried({ clink, error, kind }: Of<'clink.settlementFailed'>): void {
    const { failures } = this.#knownOf(clink)
    if (failures.length < SHOWN) failures.push({ at: wallNow(), kind, type: typeOf(error) })
  }

  /**
   * @param kind left out: that of its last try that has failed.
   * @param duration milliseconds; left out: since its first try that has failed.
   */
  #settled(clink: Clink, failure?: Failure, kind?: 'complete' | 'release', duration?: number): void {
    const known = this.#knownOf(clink)
    const { failures, look, run } = known
    const operation = kind ?? failures.at(-1)?.kind ?? 'complete'
    const endedAt = wallNow()
    const startTime = duration === undefined ? (failures[0]?.at ?? endedAt) : endedAt - Math.max(0, duration)
    const options = {
      kind: SpanKind.CLIENT,
      startTime,
      attributes: { ...this.#attributesOf(clink), ...OPERATION[operation] },
      links: linksTo(run === undefined ? look : undefined),
    }
    const parent = run === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, run)
    const span = this.#tracer.startSpan(`${operation} ${destinationOf(clink)}`, options, parent)
    for (const { at, type } of failures) span.addEvent('clink.settlementFailed', { 'error.type': type }, at)
    failures.length = 0
    if (failure !== undefined) fail(span, failure)
    span.end(endedAt)
    const error = failure === undefined ? {} : { 'error.type': failure.type }
    const group = { 'messaging.destination.name': destinationOf(clink) }
    this.#meters.operation(endedAt - startTime, { ...OPERATION[operation], ...group, ...error })
  }

  #attributesOf(clink: Clink): Attributes {
    return {
      ...this.#common,
      'messaging.destination.name': destinationOf(clink),
      'messaging.message.id': clink.clink_id,
    }
  }
}

const ABORTS: ReadonlySet<string> = new Set(['lease-lost', 'shutdown', 'cancelled'])

/** Undefined where the handler has decided what is to be done. */
function failureOf({ error, outcome, reason: why }: Of<'clink.ended'>): Failure | undefined {
  if (outcome === 'lost') return { type: 'lease-lost' }
  if (outcome === 'cut-short') return { type: 'shutdown', why }
  if (outcome === 'unavailable') return { type: 'unavailable', why }
  if (outcome !== 'failed') return undefined
  if (why !== undefined && ABORTS.has(why)) return { type: why }
  if (why?.startsWith('timeout: ') === true) return { type: 'timeout', why }
  return error === undefined ? { type: '_OTHER', why } : { type: typeOf(error), why, frames: framesOf(error) }
}

function linksTo(...spans: readonly (SpanContext | undefined)[]): Link[] {
  return spans.flatMap((one) => (one === undefined ? [] : [{ context: one }]))
}

/** Most providers of tracers and meters can do it, though the API does not know. */
async function flush(provider: object): Promise<void> {
  const { forceFlush }: { forceFlush?: unknown } = provider
  if (isRecord(provider) && typeof forceFlush === 'function') await forceFlush.call(provider)
}
