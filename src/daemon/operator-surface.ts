import { setImmediate } from '../base/host-time.ts'
import type { RequestWatch } from '../clink/client.ts'
import { packageVersion } from '../clink/version.ts'
import type { Config } from '../config/config.ts'
import { configSchema } from '../config/schema.ts'
import { serverToken } from '../config/server-token.ts'
import type { Emit } from '../events.ts'
import { Metrics } from '../metrics/metrics.ts'
import { Overview } from '../overview/overview.ts'
import { Access } from '../server/access.ts'
import { Api, type ApiRequest } from '../server/api.ts'
import { EventStreams } from '../server/event-streams.ts'
import { healthPages } from '../server/health-pages.ts'
import { OperatorServer, type Pages } from '../server/operator-server.ts'
import { Site } from '../server/site.ts'
import type { Daemon } from './daemon.ts'

interface Shown {
  readonly daemon: Pick<Daemon, 'settings' | 'settledLiveness' | 'readiness' | 'snapshot' | 'gauges'>
  readonly emit: Emit
  readonly redact: (text: string) => string
  /** Told of what nobody is to see. */
  readonly secret: (text: string) => void
  /** What can be asked and done, by its path below `/api/`. */
  readonly requests: ReadonlyMap<string, ApiRequest>
}

/** The most pages that are kept up to date. */
const STREAMS = 16
/** What is told to them, and in how many seconds once. */
const TOLD = { overview: 1, history: 10 } as const

/**
 * What can be seen of the worker by HTTP. A worker that ends by itself has no server: it would often run beside the daemon, and nobody would
 * come to ask it. Without a server nothing is measured.
 */
export class OperatorSurface {
  readonly #config: Config['server']
  readonly #metrics: Metrics | undefined
  /** Undefined: nobody can look. */
  readonly overview: Overview | undefined
  #server: OperatorServer | undefined

  constructor({ server }: Config, isOnce: boolean) {
    this.#config = server
    const isOn = server.enabled && !isOnce
    this.#metrics = isOn ? new Metrics(packageVersion()) : undefined
    this.overview = isOn ? new Overview() : undefined
  }

  /** Where it listens, or why it does not; null: it does not mean to. */
  get server(): { readonly url: string | null; readonly problem: string | null } | null {
    if (this.#metrics === undefined) return null
    return this.#server?.state ?? { url: null, problem: null }
  }

  /** To be told of every fact. */
  get notes(): readonly Emit[] {
    return [this.#metrics?.note, this.overview?.note].filter((one) => one !== undefined)
  }

  /** To be told of every request to the service. */
  get request(): RequestWatch | undefined {
    const [metrics, overview] = [this.#metrics, this.overview]
    if (metrics === undefined || overview === undefined) return undefined
    return (...facts) => {
      metrics.request(...facts)
      overview.service.note(...facts)
    }
  }

  /** @throws {CodedError} CANNOT_LISTEN where it must and cannot; FILE_INVALID where `server.tokenFile` has no token. */
  async listen(shown: Shown): Promise<void> {
    const metrics = this.#metrics
    if (metrics === undefined) return
    const { daemon, emit, redact } = shown
    const operation = this.#operation(shown)
    const standard = configSchema.shape.server.parse(undefined)
    const { host, port } = this.#config
    this.#server = new OperatorServer({
      settings: { ...this.#config, isChosen: host !== standard.host || port !== standard.port },
      pages: { ...healthPages(daemon), ...metricsPage(metrics, daemon) },
      operation,
      redact,
      listening: (url) => emit({ event: 'server.listening', url }),
      unavailable: (problem, again) => emit({ event: 'server.unavailable', problem, again, advice: ADVICE }),
    })
    await this.#server.start()
    this.overview?.start(() => daemon.gauges().inFlight)
    // When the first requests of the worker are on their way.
    setImmediate(() => void metrics.load(() => daemon.settings.current.server.pickupSlo))
  }

  #operation({ redact, requests, secret }: Shown) {
    const token = serverToken(this.#config)
    if (token !== undefined) secret(token.reveal())
    const access = new Access({ host: this.#config.host, token })
    const text = async (name: string): Promise<string> =>
      redact(JSON.stringify(await requests.get(name)?.ask({})) ?? 'null')
    const told = Object.entries(TOLD).map(([name, every]) => [name, { every, text: async () => await text(name) }])
    const events = new EventStreams({ most: STREAMS, told: Object.fromEntries(told) })
    return { access, api: new Api({ requests, events }), site: new Site() }
  }

  async stop(): Promise<void> {
    this.#metrics?.stop()
    this.overview?.stop()
    await this.#server?.stop()
  }
}

function metricsPage(metrics: Metrics, daemon: Shown['daemon']): Pages {
  const headers = { 'content-type': metrics.contentType }
  return { '/metrics': async () => ({ status: 200, headers, text: await metrics.text(daemon) }) }
}

const ADVICE =
  'the worker works without it meanwhile; where several workers are to run on this machine, give each its own server.port, or switch the server off'
