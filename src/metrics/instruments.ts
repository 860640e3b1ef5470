import Gauge from 'prom-client/lib/gauge.js'
import Registry from 'prom-client/lib/registry.js'
import { Counter, Histogram, type Metric } from './tallies.ts'

const PREFIX = 'clink_worker_'

const QUICK = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
const LONG = [0.05, 0.25, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600]

/** Makes what is measured, in a registry of its own. */
class Maker {
  readonly registry = new Registry()
  readonly registers = [this.registry]

  counter(name: string, help: string, labels: readonly string[] = []): Counter {
    return this.#register(new Counter(PREFIX + name, help, labels))
  }

  gauge<Name extends string = never>(name: string, help: string, labels: readonly Name[] = []): Gauge<Name> {
    return new Gauge({ name: PREFIX + name, help, labelNames: [...labels], registers: this.registers })
  }

  histogram(name: string, help: string, bounds: readonly number[], label?: string): Histogram {
    return this.#register(new Histogram(PREFIX + name, help, bounds, label))
  }

  /** Not ours alone: by a name that every process has. */
  processorTime(): Counter {
    return this.#register(new Counter('process_cpu_seconds_total', 'Processor time in seconds.', []))
  }

  #register<One extends Metric>(metric: One): One {
    this.registry.registerMetric(metric)
    return metric
  }
}

/**
 * Everything that is measured. Labels have few values: names of routes and operations, words of the worker, HTTP statuses; never an id, a text,
 * or anything else that clinks bring.
 */
export function makeInstruments() {
  const make = new Maker()
  const { registry } = make
  return {
    registry,
    ...ofService(make),
    ...ofClaims(make),
    ...ofWork(make),
    ...ofEnds(make),
    ...ofWorker(make),
    ...ofProcess(make),
  }
}

export type Instruments = ReturnType<typeof makeInstruments>

function ofService(make: Maker) {
  return {
    apiRequests: make.counter('api_requests_total', 'Requests to the service, by what they were answered with.', [
      'operation',
      'status',
    ]),
    apiDuration: make.histogram(
      'api_request_duration_seconds',
      'How long requests to the service took.',
      QUICK,
      'operation',
    ),
    polls: make.counter('polls_total', 'Looks at the inbox, by what came of them.', ['result']),
    inboxPending: make.gauge('inbox_pending', 'Clinks that wait in the inbox and that this worker would take.'),
    inboxLeftAlone: make.gauge('inbox_left_alone', 'Clinks that wait in the inbox and that this worker leaves alone.'),
    inboxOldest: make.gauge(
      'inbox_oldest_age_seconds',
      'How long the oldest clink has waited that this worker would take.',
    ),
    inboxSaturated: make.gauge(
      'inbox_saturated',
      'Whether more may wait than was counted: the other gauges of the inbox are lower bounds then.',
    ),
  }
}

function ofClaims(make: Maker) {
  return {
    claimed: make.counter('clinks_claimed_total', 'Claims that were taken in hand.'),
    renewals: make.counter('renewals_total', 'Renewals of claims, by what came of them.', ['result']),
    headroom: make.histogram(
      'lease_headroom_seconds',
      'What was left of a lease when it was renewed.',
      [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900],
    ),
    lost: make.counter('leases_lost_total', 'Claims that were lost before they were settled.', ['cause']),
    maybeClaimed: make.gauge('maybe_claimed', 'Clinks that may be claimed though none of them is in hand.'),
    parked: make.gauge('parked', 'Claims that are kept though their clinks are not to be run now.'),
  }
}

function ofWork(make: Maker) {
  return {
    slots: make.gauge('slots', 'How many clinks may be worked at a time.'),
    inFlight: make.gauge('in_flight', 'Clinks that have a slot.'),
    held: make.gauge('held', 'Clinks that are held for another start.'),
    stuck: make.gauge('stuck', 'Runs that go on though they were aborted.'),
    pickup: make.histogram('pickup_latency_seconds', 'From when a clink was sent until its handler was started.', LONG),
    pickupSlo: make.counter(
      'pickup_slo_exceeded_total',
      'Clinks whose handlers were started later than server.pickupSlo allows.',
    ),
    outcomes: make.counter('outcomes_total', 'Runs that have ended, by how.', ['route', 'outcome']),
    duration: make.histogram('handler_duration_seconds', 'How long runs took.', LONG, 'route'),
    circuits: make.gauge('circuit_state', 'Whether a route is paused since all fails there: 0 it is not, 1 it is.', [
      'route',
    ]),
  }
}

function ofEnds(make: Maker) {
  return {
    settlements: make.counter('settlements_total', 'What the service was told about claims, by what came of it.', [
      'kind',
      'result',
    ]),
    unknown: make.gauge(
      'unknown_settlements',
      'Results that were sent, of which nobody knows yet whether they have arrived.',
    ),
    replays: make.counter(
      'journal_replays_total',
      'Results of earlier claims that were sent again, without another run.',
    ),
    deadLetters: make.gauge('dead_letters', 'Dead letters that wait for somebody to act.'),
  }
}

function ofWorker(make: Maker) {
  return {
    paused: make.gauge('paused', 'Whether somebody keeps it from taking clinks.'),
    ready: make.gauge('ready', 'Whether it takes work.'),
    journalFailed: make.gauge(
      'journal_unwritable',
      'Whether the journal, or the store of the fleet, cannot be written: nothing new is claimed then.',
    ),
    reloadFailed: make.gauge(
      'reload_failed',
      'Whether changed handlers, configuration or key file cannot be used: those before are in use.',
    ),
    loopDelay: make.histogram('event_loop_delay_seconds', 'How late timers are, looked at twice a second.', QUICK),
    build: make.gauge('build_info', 'Which version this is.', ['version', 'node']),
  }
}

/** Not ours alone: by the names that every process has. */
function ofProcess(make: Maker) {
  return {
    cpu: make.processorTime(),
    memory: new Gauge({
      name: 'process_resident_memory_bytes',
      help: 'Resident memory in bytes.',
      registers: make.registers,
    }),
    startTime: new Gauge({
      name: 'process_start_time_seconds',
      help: 'When the process was started.',
      registers: make.registers,
    }),
  }
}
