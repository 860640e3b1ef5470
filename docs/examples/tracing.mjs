// Sends what the worker traces to an OpenTelemetry collector. Install what it imports beside it, and start the worker with it:
//
//   npm install @opentelemetry/api@1.9 @opentelemetry/context-async-hooks@2 @opentelemetry/sdk-trace-base@2 \
//     @opentelemetry/exporter-trace-otlp-http@0.223
//   NODE_OPTIONS="--import /etc/clink-worker/tracing.mjs" clink-worker run
//
// OTEL_EXPORTER_OTLP_ENDPOINT says where the collector is (http://localhost:4318), OTEL_SERVICE_NAME what the worker is called.
import { isMainThread } from 'node:worker_threads'
import { context, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'

// Node loads this file in every thread of the worker. Those in which handlers run are ended without notice, and what they have
// not exported by then is lost: leave the condition out only where you want the spans of such handlers all the same.
if (isMainThread) {
  // By this a span of a handler is a part of the worker's span for its run.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  // The worker has it export what is left when it ends.
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] }),
  )
}
