import { metrics, type Attributes } from '@opentelemetry/api'

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
const LONG = [...SECONDS, 30, 60, 300, 900, 3_600]

export type Meters = ReturnType<typeof makeMeters>

/** What is measured, by the names of the conventions. Durations that are given are milliseconds. */
export function makeMeters(version: string, common: Attributes) {
  const meter = metrics.getMeter('clink-worker', version)
  const consumed = meter.createCounter('messaging.client.consumed.messages', {
    description: 'Clinks that were claimed.',
    unit: '{message}',
  })
  const operation = meter.createHistogram('messaging.client.operation.duration', {
    description: 'How long it took to claim clinks, and to tell Clink what became of them.',
    unit: 's',
    advice: { explicitBucketBoundaries: SECONDS },
  })
  const process = meter.createHistogram('messaging.process.duration', {
    description: 'How long runs of handlers took.',
    unit: 's',
    advice: { explicitBucketBoundaries: LONG },
  })
  return {
    consumed: (count: number, attributes: Attributes) => consumed.add(count, { ...common, ...attributes }),
    operation: (ms: number, attributes: Attributes) => operation.record(ms / 1_000, { ...common, ...attributes }),
    process: (ms: number, attributes: Attributes) => process.record(ms / 1_000, { ...common, ...attributes }),
  }
}
