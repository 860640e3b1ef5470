import { hasTelemetry } from '../../base/telemetry.ts'
import type { TraceHeaders } from '../envelope.ts'

/** Runs code as a part of the worker's span, where an SDK is registered in this thread as well. */
export async function withinTrace<T>(headers: TraceHeaders | undefined, code: () => Promise<T>): Promise<T> {
  if (headers === undefined || !hasTelemetry()) return await code()
  const { context, createTraceState, ROOT_CONTEXT, trace } = await import('@opentelemetry/api')
  const [, traceId = '', spanId = '', flags = ''] = headers.traceparent.split('-')
  const span = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    traceState: createTraceState(headers.tracestate),
    isRemote: true,
  }
  return await context.with(trace.setSpanContext(ROOT_CONTEXT, span), code)
}
