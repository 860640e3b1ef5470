import type { Random } from '../base/backoff.ts'
import { systemBoot, type Boot } from '../base/boot.ts'
import type { Clock } from '../base/clock.ts'
import type { Secret } from '../base/secret.ts'
import { Streak } from '../base/streak.ts'
import { ClinkClient, type ClientOptions } from '../clink/client.ts'
import { DateWatch } from '../clink/date-watch.ts'
import type { Transport } from '../clink/transport.ts'
import type { Config } from '../config/config.ts'
import type { Settings } from '../config/settings.ts'
import type { Emit } from '../events.ts'
import type { Router } from '../handlers/route.ts'
import { ProcessSearch, type ProcessGroups } from '../runners/process-group.ts'
import type { Runner } from '../runners/runner.ts'
import type { TaskSocketOptions } from '../runners/task-socket.ts'
import { makeRunners } from './runners.ts'
import { RateLimit } from '../worker/capacity/rate-limit.ts'
import { ClockDifference } from '../worker/admission/clock-difference.ts'
import { ClaimTerms } from '../worker/claim/terms.ts'
import { CrashWatch } from '../worker/execution/crash-watch.ts'
import { AgentProfiles } from '../worker/replies/agent-profiles.ts'
import { Identity, keepIdentity, keptIdentity } from '../keys/identity.ts'
import { KeyChange } from '../keys/key-change.ts'
import { Keys } from '../keys/keys.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { LoopGuard } from '../worker/replies/loop-guard.ts'
import { NameWarnings } from '../worker/admission/name-warnings.ts'
import { Pulses } from '../worker/liveness/pulses.ts'
import { Scope } from '../worker/admission/scope.ts'
import { ServiceTime } from '../clink/service-time.ts'
import { ClaimsUnderWay } from '../worker/claim/claims-under-way.ts'
import { Siblings } from '../worker/claim/siblings.ts'
import { Warmth } from '../worker/capacity/warmth.ts'
import { WorkerSignals } from '../worker/signals.ts'
import type { AdmissionContext } from '../worker/admission/context.ts'

/** The fact that says which key is known to be ours. */
const PROVEN_KEY = 'key'

/** What a worker is made of from outside. */
export interface ComposeOptions {
  readonly settings: Settings
  readonly key: Secret
  readonly session: string
  readonly router: Router
  readonly transport: Transport
  readonly ledger: Ledger
  readonly emit: Emit
  readonly clock: Clock
  readonly random: Random
  /** Default: that of the system. */
  readonly boot?: Boot | undefined
  /** Default: the kernel's. */
  readonly groups?: ProcessGroups | undefined
  /** Default: one for each kind of target. */
  readonly runner?: Runner | undefined
  /** Puts something around the runner. */
  readonly around?: ((runner: Runner) => Runner) | undefined
  /** Where programs ask for what the worker does for them. Default: in a directory of its own. */
  readonly tasks?: TaskSocketOptions | undefined
  /** Told of each request to the service. */
  readonly watch?: ClientOptions['watch']
  /** Aborts when the worker begins to stop. */
  readonly stopping: AbortSignal
  /** Aborts when the time for stopping is over. */
  readonly closing: AbortSignal
}

export type Composed = ReturnType<typeof compose>

/** Where ages count, the clocks do. */
function watched({ clock, emit, settings, transport }: ComposeOptions): Transport {
  const difference = new ClockDifference(emit)
  const watch = new DateWatch(
    transport,
    () => clock.wall(),
    (ahead) => difference.note(ahead),
  )
  return { send: (request) => (settings.current.inbox.maxAge === null ? transport : watch).send(request) }
}

/** Makes what the parts of the heart share, and the clients they ask with. */
export function compose(options: ComposeOptions) {
  const { clock, closing, emit, ledger, random, router, session, settings, stopping, watch } = options
  const config = settings.current
  const { timeout, url } = config.clink
  const transport = watched(options)
  const connection = { url, sessionId: session, timeout, transport, clock, random, watch }
  const { former, identity } = knownIdentity(config, ledger, emit)
  const signals = new WorkerSignals()
  const heart = { settings, clock, random, emit, signals, ledger, pulses: new Pulses(clock), stopping, closing }
  const keys = makeKeys(options, connection, identity, signals)
  const api = new ClinkClient({ ...connection, key: keys.live })
  const sibling = new ClinkClient({ ...connection, key: keys.live, sessionId: `${session}-sibling` })
  const { exclusive } = config.claim
  const serviceTime = new ServiceTime()
  const terms = new ClaimTerms(heart, serviceTime)
  const { around = (runner) => runner, boot = systemBoot(), groups = new ProcessSearch(clock) } = options
  const context: AdmissionContext = {
    ...heart,
    api,
    keys,
    siblings: new Siblings({ ...heart, api, identity, sibling, url, exclusive, terms }),
    nameWarnings: new NameWarnings(heart, router),
    scope: new Scope({ ...heart, api, identity, router }),
    serviceTime,
    terms,
    claimsUnderWay: new ClaimsUnderWay(),
    outages: { renewals: new Streak(clock), settlements: new Streak(clock) },
    boot,
    groups,
    crashWatch: new CrashWatch(heart),
    router,
    runner: around(
      options.runner ?? makeRunners({ boot, clock, groups, ledger, settings, session, tasks: options.tasks ?? {} }),
    ),
    identity,
    loopGuard: new LoopGuard(heart),
    agentProfiles: new AgentProfiles({ ...heart, api }),
    rateLimit: new RateLimit(clock),
    warmth: new Warmth(heart),
  }
  const ask = (key: Secret): ClinkClient => new ClinkClient({ ...connection, key })
  const keyChange = new KeyChange({ keys, ask, identity, clock, random, emit, crashed: signals.crashed })
  // Whom the state directory knew us as, where the configuration names somebody else.
  return { context, keyChange, formerIdentity: former }
}

function makeKeys(
  { emit, key: first, ledger, settings }: ComposeOptions,
  connection: Omit<ClientOptions, 'key'>,
  identity: Identity,
  { keyChanged, keyEstranged, keyRefused }: WorkerSignals,
): Keys {
  return new Keys({
    first,
    makeClients: (key) => ({
      api: new ClinkClient({ ...connection, key }),
      connection: { ...connection, key },
    }),
    identity,
    emit,
    known: provenKey(settings.current, ledger, identity),
    proved: (known) => void ledger.process.note({ [PROVEN_KEY]: known }),
    changed: keyChanged,
    estranged: keyEstranged,
    refused: keyRefused,
  })
}

/** What is configured counts, and is kept. */
function knownIdentity({ clink: { identity: configured, url } }: Config, ledger: Ledger, emit: Emit) {
  const kept = keptIdentity(ledger, url)
  const keep = (id: string): void => void keepIdentity(id, ledger, url)
  if (configured === 'auto') return { identity: new Identity(kept, emit, keep), former: undefined }
  keep(configured)
  return { identity: new Identity(configured, emit), former: kept === configured ? undefined : kept }
}

/** Which key an earlier process knew to be ours. It may have known that before it learnt who we are. */
function provenKey({ clink }: Config, ledger: Ledger, { id }: Identity): string | undefined {
  const fact = ledger.process.fact(PROVEN_KEY)
  return clink.identity === 'auto' && fact?.startsWith(' ') === true ? `${id ?? ''}${fact}` : fact
}
