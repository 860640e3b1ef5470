import { context, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import { onTestFinished } from 'vitest'

/** An SDK that somebody has registered, for one test. */
export class Telemetry {
  readonly #spans = new InMemorySpanExporter()
  readonly #metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  readonly #reader = new PeriodicExportingMetricReader({ exporter: this.#metrics, exportIntervalMillis: 3_600_000 })

  static register(): Telemetry {
    const telemetry = new Telemetry()
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(telemetry.#spans)] }),
    )
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [telemetry.#reader] }))
    onTestFinished(() => {
      for (const api of [context, trace, metrics]) api.disable()
    })
    return telemetry
  }

  /** Those that have ended. */
  all(type?: string): readonly ReadableSpan[] {
    const spans = this.#spans.getFinishedSpans()
    return type === undefined ? spans : spans.filter((one) => one.attributes['messaging.operation.type'] === type)
  }

  /** What was measured: by name, the attributes and the sum, or the number of values. */
  async measured(name: string): Promise<readonly { readonly attributes: object; readonly value: number }[]> {
    await this.#reader.forceFlush()
    const found = this.#metrics
      .getMetrics()
      .at(-1)
      ?.scopeMetrics.flatMap((scope) => scope.metrics)
      .find(({ descriptor }) => descriptor.name === name)
    return (found?.dataPoints ?? []).map(({ attributes, value }) => ({
      attributes,
      value: typeof value === 'object' ? ('count' in value ? value.count : 0) : value,
    }))
  }
}
