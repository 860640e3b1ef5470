import type { Attributes, Span, SpanContext } from '@opentelemetry/api'
import { wallNow } from '../base/host-time.ts'
import { isSpanContextValid, SpanStatusCode } from '@opentelemetry/api'
import type { Clink } from '../clink/records.ts'
import type { TraceHeaders } from '../runners/envelope.ts'

// Names are those of OpenTelemetry's conventions for messaging.

/** What a client does with messages, by the worker's words and those of the conventions. */
export const OPERATION = {
  claim: { 'messaging.operation.name': 'claim', 'messaging.operation.type': 'receive' },
  process: { 'messaging.operation.name': 'process', 'messaging.operation.type': 'process' },
  complete: { 'messaging.operation.name': 'complete', 'messaging.operation.type': 'settle' },
  release: { 'messaging.operation.name': 'release', 'messaging.operation.type': 'settle' },
} as const

/** What all spans and metrics have. @param url where the service is. */
export function systemAttributes(url: string): Attributes {
  const { hostname, port, protocol } = new URL(url)
  const standard = protocol === 'http:' ? 80 : 443
  return {
    'messaging.system.name': 'clink',
    'server.address': hostname,
    'server.port': port === '' ? standard : Number(port),
  }
}

export function destinationOf({ group_id: id, group_slug: slug }: Clink): string {
  return slug ?? id
}

/** An error in a few words that are no texts of clinks, nor of code that works them. */
export interface Failure {
  readonly type: string
  /** In the worker's words. */
  readonly why?: string | undefined
  /** Without the message that it begins with. */
  readonly frames?: string
}

/** A name that a class, a code or a status may have: it is a dimension of metrics. */
const NAME = /^[\w.$-]{1,80}$/

/** The kind of an error: its status, its code, or its class. */
export function typeOf(error: Error): string {
  const { code, failure, status } = error as Error & { code?: unknown; failure?: unknown; status?: unknown }
  const isAnswer = typeof status === 'number' && status > 0
  const type = [isAnswer ? String(status) : undefined, failure, code, error.name].find(
    (one) => typeof one === 'string' && NAME.test(one),
  )
  return typeof type === 'string' ? type : '_OTHER'
}

/** Where an error comes from. Its stack begins with its message, which may quote what it was about. */
export function framesOf({ message, stack }: Error): string {
  if (stack === undefined) return ''
  const from = stack.indexOf(message)
  return /\n\s+at [^]*/.exec(from < 0 ? '' : stack.slice(from + message.length))?.[0] ?? ''
}

export function fail(span: Span, { frames = '', type, why }: Failure): void {
  const message = why === undefined ? {} : { 'exception.message': why }
  const stack = frames === '' ? {} : { 'exception.stacktrace': `${type}${frames}` }
  span.setAttribute('error.type', type)
  span.setStatus({ code: SpanStatusCode.ERROR, ...(why !== undefined && { message: why }) })
  span.addEvent('exception', { 'exception.type': type, ...message, ...stack }, wallNow())
}

/** A span as the W3C writes it down for others; undefined where there is none. */
export function headersOf(span: SpanContext): TraceHeaders | undefined {
  if (!isSpanContextValid(span)) return undefined
  const { spanId, traceFlags, traceId, traceState } = span
  const state = traceState?.serialize() ?? ''
  const flags = traceFlags.toString(16).padStart(2, '0')
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, ...(state !== '' && { tracestate: state }) }
}
