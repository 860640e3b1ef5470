// The package has types for its entry only, which loads ten times as long as these parts of it.
declare module 'prom-client/lib/registry.js' {
  import type { Registry } from 'prom-client'
  import type { Metric } from './tallies.ts'
  // It asks no more of a metric, though its types want one of the package's own.
  export default class extends Registry {
    registerMetric(metric: Metric): void
  }
}
declare module 'prom-client/lib/gauge.js' {
  export { Gauge as default } from 'prom-client'
}
