import { setImmediate } from '../base/host-time.ts'
import type { RequestWatch } from '../clink/client.ts'
import { packageVersion } from '../clink/version.ts'
import type { Config } from '../config/config.ts'
import { configSchema } from '../config/schema.ts'
import type { Emit } from '../events.ts'
import { Metrics } from '../metrics/metrics.ts'
import { healthPages } from '../server/health-pages.ts'
import { OperatorServer, type Pages } from '../server/operator-server.ts'
import type { Daemon } from './daemon.ts'

interface Shown {
  readonly daemon: Pick<Daemon, 'settings' | 'settledLiveness' | 'readiness' | 'snapshot' | 'gauges'>
  readonly emit: Emit
  readonly redact: (text: string) => string
}

/**
 * What can be seen of the worker by HTTP. A worker that ends by itself has no server: it would often run beside the daemon, and nobody would
 * come to ask it. Without a server nothing is measured.
 */
export class OperatorSurface {
  readonly #config: Config['server']
  readonly #metrics: Metrics | undefined
  #server: OperatorServer | undefined

  constructor({ server }: Config, isOnce: boolean) {
    this.#config = server
    this.#metrics = server.enabled && !isOnce ? new Metrics(packageVersion()) : undefined
  }

  /** To be told of every fact. */
  get note(): Emit | undefined {
    return this.#metrics?.note
  }

  /** To be told of every request to the service. */
  get request(): RequestWatch | undefined {
    return this.#metrics?.request
  }

  /** @throws {CodedError} CANNOT_LISTEN where it must and cannot. */
  async listen({ daemon, emit, redact }: Shown): Promise<void> {
    const metrics = this.#metrics
    if (metrics === undefined) return
    const standard = configSchema.shape.server.parse(undefined)
    const { host, port } = this.#config
    this.#server = new OperatorServer({
      settings: { ...this.#config, isChosen: host !== standard.host || port !== standard.port },
      pages: { ...healthPages(daemon), ...metricsPage(metrics, daemon) },
      redact,
      listening: (url) => emit({ event: 'server.listening', url }),
      unavailable: (problem, again) => emit({ event: 'server.unavailable', problem, again, advice: ADVICE }),
    })
    await this.#server.start()
    // When the first requests of the worker are on their way.
    setImmediate(() => void metrics.load(() => daemon.settings.current.server.pickupSlo))
  }

  async stop(): Promise<void> {
    this.#metrics?.stop()
    await this.#server?.stop()
  }
}

function metricsPage(metrics: Metrics, daemon: Shown['daemon']): Pages {
  const headers = { 'content-type': metrics.contentType }
  return { '/metrics': async () => ({ status: 200, headers, text: await metrics.text(daemon) }) }
}

const ADVICE =
  'the worker works without it meanwhile; where several workers are to run on this machine, give each its own server.port, or switch the server off'
