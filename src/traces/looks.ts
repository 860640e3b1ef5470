import { ROOT_CONTEXT, SpanKind, type Attributes, type Span, type SpanContext, type Tracer } from '@opentelemetry/api'
import { wallNow } from '../base/host-time.ts'
import type { RequestWatch } from '../clink/client.ts'
import type { Clink } from '../clink/records.ts'
import { destinationOf, fail, OPERATION, typeOf } from './attributes.ts'
import type { Meters } from './meters.ts'

/** A look at the inbox that has claimed something. */
interface Look {
  readonly span: Span
  /** Wall time. */
  readonly startedAt: number
  /** How many of each group. */
  readonly claimed: Map<string, number>
}

/** The requests by which clinks are claimed. */
const CLAIMING: ReadonlySet<string> = new Set(['check_inbox', 'claim_clink'])

/** Spans of what is received: one for each look at the inbox by which something was claimed, and for each that has failed. */
export class Looks {
  readonly #tracer: Tracer
  readonly #meters: Meters
  readonly #common: Attributes
  #look: Look | undefined
  /** Wall time at which the last answered request that may have claimed was sent; none: since the last look. */
  #sentAt: number | undefined

  constructor(tracer: Tracer, meters: Meters, common: Attributes) {
    this.#tracer = tracer
    this.#meters = meters
    this.#common = common
  }

  readonly request: RequestWatch = (operation, _, duration) => {
    if (CLAIMING.has(operation)) this.#sentAt = wallNow() - duration
  }

  /** Undefined: an earlier process has claimed it. */
  claimed(clink: Clink): SpanContext | undefined {
    if (this.#look === undefined && this.#sentAt === undefined) return undefined
    const { claimed, span } = (this.#look ??= this.#begin())
    const destination = destinationOf(clink)
    claimed.set(destination, (claimed.get(destination) ?? 0) + 1)
    return span.spanContext()
  }

  /** @param duration milliseconds that it took, where nothing was claimed. */
  ended(duration: number): void {
    const look = this.#look
    this.#look = undefined
    this.#sentAt = undefined
    if (look === undefined) return this.#meters.operation(duration, OPERATION.claim)
    const { claimed, span, startedAt } = look
    const endedAt = Math.max(startedAt, wallNow())
    const [destination] = claimed.keys()
    const group = claimed.size === 1 ? { 'messaging.destination.name': destination } : {}
    if (claimed.size === 1) span.updateName(`claim ${destination}`)
    const count = [...claimed.values()].reduce((sum, one) => sum + one, 0)
    span.setAttributes({ ...group, 'messaging.batch.message_count': count })
    span.end(endedAt)
    this.#meters.operation(endedAt - startedAt, { ...OPERATION.claim, ...group })
    for (const [name, number] of claimed)
      this.#meters.consumed(number, { ...OPERATION.claim, 'messaging.destination.name': name })
  }

  failed(error: Error): void {
    const { span, startedAt } = this.#begin()
    this.#sentAt = undefined
    const type = typeOf(error)
    fail(span, { type })
    const endedAt = Math.max(startedAt, wallNow())
    span.end(endedAt)
    this.#meters.operation(endedAt - startedAt, { ...OPERATION.claim, 'error.type': type })
  }

  stop(): void {
    if (this.#look !== undefined) this.ended(0)
  }

  #begin(): Look {
    const startedAt = this.#sentAt ?? wallNow()
    const attributes = { ...this.#common, ...OPERATION.claim }
    const span = this.#tracer.startSpan(
      'claim',
      { kind: SpanKind.CLIENT, startTime: startedAt, attributes },
      ROOT_CONTEXT,
    )
    return { span, startedAt, claimed: new Map() }
  }
}
