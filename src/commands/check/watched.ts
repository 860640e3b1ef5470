import type { Clock } from '../../base/clock.ts'
import { humanDuration } from '../../base/duration.ts'
import type { ProxyChoice } from '../../base/proxy.ts'
import type { Transport, TransportRequest, TransportResponse } from '../../clink/transport.ts'
import { ok, unknown, warning, type Finding } from './finding.ts'

/** Headers by which whatever passes an answer on makes itself known. */
const PASSED_ON = ['via', 'x-cache', 'x-served-by', 'cf-ray', 'x-amz-cf-id', 'x-envoy-upstream-service-time']
/** So long an answer is worth saying, in milliseconds. */
const SLOW = 2_000

/** Notes of each answer how long it took, and by whose hands it came. */
export class WatchedTransport implements Transport {
  readonly #transport: Transport
  readonly #clock: Clock
  readonly #durations: number[] = []
  readonly #hands = new Set<string>()

  constructor(transport: Transport, clock: Clock) {
    this.#transport = transport
    this.#clock = clock
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    const startedAt = this.#clock.now()
    const response = await this.#transport.send(request)
    this.#durations.push(this.#clock.now() - startedAt)
    for (const name of PASSED_ON) {
      const value = response.headers[name]
      if (value !== undefined) this.#hands.add(`${name}: ${value.length > 60 ? `${value.slice(0, 60)}…` : value}`)
    }
    return response
  }

  /** Some answer says that it was passed on. */
  get isPassedOn(): boolean {
    return this.#hands.size > 0
  }

  /** The first request also makes the connection. @param timeout `clink.timeout`. */
  latency(timeout: number): Finding {
    const [first, ...others] = this.#durations
    if (first === undefined) return unknown('latency', 'nothing was answered')
    const sorted = [...(others.length === 0 ? [first] : others)].toSorted((a, b) => a - b)
    const [median = first, slowest = first] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)]
    const text = `${ms(median)} as a rule, ${ms(slowest)} at most, ${ms(first)} with the connection`
    if (Math.max(median, slowest, first) < Math.min(SLOW, timeout)) return ok('latency', text)
    const limit = `requests are given up after ${humanDuration(timeout)} (clink.timeout)`
    return warning('latency', text, `look at the network and at what stands in between; ${limit}`)
  }

  /** Whether something passes answers on. @param choice the proxy that requests are sent to. */
  between(choice: ProxyChoice): Finding {
    const own = choice.proxy === undefined ? '' : `through the proxy ${choice.proxy.address} (${choice.proxy.from})`
    const hands = [...this.#hands].join(', ')
    if (hands === '') {
      const way = own === '' ? 'straight from the service' : own
      return ok('way', `answers come ${way}, as far as their headers tell`)
    }
    return ok('way', `answers come ${own === '' ? '' : `${own} and `}by other hands: ${hands}`)
  }
}

function ms(duration: number): string {
  return humanDuration(Math.max(1, Math.round(duration)))
}
