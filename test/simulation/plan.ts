import { Secret } from '../../src/base/secret.ts'
import type { Config } from '../../src/config/config.ts'
import type { Seed, Switches } from '../../src/emulator/emulator.ts'
import type { Chance } from './chance.ts'
import type { FaultKind } from './faults.ts'
import { makeKeys, spareKeys, STRANGER, type KeyPlan } from './plan-keys.ts'
import { makeLetters, type LetterPlan } from './plan-letters.ts'
import { GROUP, GROUPS, makeScope, OTHER_GROUP } from './plan-scope.ts'
import { makeTurns } from './plan-turns.ts'
import { speak, type Vocabulary } from './words.ts'
import { PLAIN_WORLD, type WordName, type World } from './world.ts'

/** How the network behaves. Times are virtual milliseconds. */
export interface FaultPlan {
  /** Part of the requests to which something happens. */
  readonly rate: number
  readonly latency: number
  /** The longest delay. */
  readonly scale: number
  readonly outages: readonly { readonly from: number; readonly to: number; readonly kind: FaultKind }[]
  /** After it nothing goes wrong any more. */
  readonly until: number
}

/** What happens to a worker's process, by the time since the start of the seed. */
export interface Turn {
  readonly at: number
  readonly what: 'stop' | 'stop-and-hurry' | 'crash' | 'sleep' | 'wall-jump'
  /** How long it sleeps; how long until the next start. */
  readonly ms: number
}

/** A configuration that a worker is given while it works; its next process begins with it. */
export interface ConfigChange {
  readonly at: number
  readonly config: Config
}

export interface WorkerPlan {
  readonly name: string
  /** Id of the key's owner. */
  readonly owner: string
  /** Name of the key that it begins with. */
  readonly key: string
  readonly config: Config
  readonly wallSkew: number
  readonly turns: readonly Turn[]
  readonly changes: readonly ConfigChange[]
}

export interface ClinkPlan {
  readonly at: number
  /** Slug. */
  readonly group: string
  readonly text: string
  readonly from: string
  readonly for?: string
  /** Milliseconds between its creation and the time at which it can be seen. */
  readonly late?: number
}

export interface PersonPlan {
  readonly at: number
  readonly what: 'complete' | 'release' | 'claim' | 'leave'
}

/** Everything that a seed decides beforehand. */
export interface Plan {
  readonly seed: number
  readonly switches: Partial<Switches>
  readonly seeding: Seed
  readonly workers: readonly WorkerPlan[]
  readonly clinks: readonly ClinkPlan[]
  readonly people: readonly PersonPlan[]
  readonly letters: readonly LetterPlan[]
  readonly keys: readonly KeyPlan[]
  /** How often a worker's next process finds another boot of its machine, or nothing of its journal. */
  readonly restarts: { readonly newBoot: number; readonly newState: number }
  readonly faults: FaultPlan
  /** Shortest and longest claim that matters, in milliseconds: handlers are as long as that. */
  readonly lease: number
  /** When everything that disturbs is over. */
  readonly calmAt: number
  readonly world: World
  /** What is special about this seed. */
  readonly words: readonly WordName[]
}

/** The user whose key sees both groups. */
const TEAM = 'team'
const MARK = '— clink-worker'
/** What a clink says that ends the process of its handler. */
export const KILLER = 'kill'
export const NO_ROUTE = 'nobody takes this'
const SENDERS = ['alice', 'bob', 'carol'] as const
const AGENTS = ['one', 'two', 'three'] as const

export function makePlan(seed: number, chance: Chance, vocabulary: Vocabulary): Plan {
  const lease = Math.round(chance.logarithmic(3, 300)) * 1_000
  const horizon = Math.min(400_000, chance.between(20_000, 30_000 + 6 * lease))
  const switches = makeSwitches(chance.fork('switches'), lease)
  const made = makeWorkers(chance.fork('workers'), {
    lease,
    horizon,
    isWide: chance.fork('wide').is(0.15),
    isSkewed: switches.clockSkew !== '0',
  })
  const { letters, workers } = makeLetters(chance.fork('letters'), made, horizon)
  const faults = makeFaults(chance.fork('faults'), lease, horizon)
  const plan: Plan = {
    seed,
    switches,
    seeding: {
      users: [{ name: 'boss' }, { name: TEAM }, ...SENDERS.map((name) => ({ name }))],
      agents: [...AGENTS, STRANGER].map((name) => ({ name, group: GROUP })),
      groups: GROUPS.map((group) => ({ ...group, owner: 'boss', members: [...SENDERS, TEAM] })),
      keys: [
        ...[...AGENTS, TEAM].flatMap((name) => [
          { name, owner: name },
          { name: `${name}-b`, owner: name },
        ]),
        ...spareKeys([...AGENTS, TEAM]),
      ],
    },
    workers,
    clinks: [...makeClinks(chance.fork('clinks'), workers, horizon), ...makeKillers(chance.fork('killers'), horizon)],
    people: makePeople(chance.fork('people'), horizon),
    letters,
    keys: makeKeys(chance.fork('keys'), workers, horizon, TEAM),
    restarts: makeRestarts(chance.fork('restarts')),
    faults,
    lease,
    calmAt: horizon,
    world: PLAIN_WORLD,
    words: [],
  }
  return speak(plan, chance, vocabulary)
}

function makeSwitches(chance: Chance, lease: number): Partial<Switches> {
  const seconds = lease / 1_000
  const inboxOrder = chance.pick(['oldest', 'newest', 'random'] as const)
  // Where a page is smaller than what comes in one moment, or not in order, what a worker leaves alone hides what lies behind.
  const smallPages = inboxOrder === 'oldest' ? 'cap:20' : 'cap:100'
  const mostly = <T>(first: T, ...others: T[]): T => (chance.is(0.55) ? first : chance.pick([first, ...others]))
  return {
    reclaim: mostly('renew', 'refuse', 'ignore'),
    identity: chance.pick(['session', 'key', 'owner'] as const),
    lateComplete: chance.pick(['refuse-409', 'refuse-403', 'accept'] as const),
    completeTwice: chance.pick(['409', '200'] as const),
    releaseUnclaimed: chance.pick(['409', '403', '200'] as const),
    maxTimeout: mostly<`cap:${number}` | `reject:${number}` | 'none'>(
      'none',
      `cap:${Math.ceil(seconds * 0.7)}`,
      `reject:${Math.max(1, Math.floor(seconds * 0.7))}`,
    ),
    maxLimit: chance.pick(['cap:100', 'reject:100', smallPages] as const),
    claimedAtOnRenew: chance.pick(['moves', 'stays'] as const),
    claimTimes: mostly('present', 'seconds', 'absent'),
    defaultTimeout: mostly(seconds, Math.max(2, Math.round(seconds * 0.6)), Math.round(seconds * 2), 300),
    pollRecords: mostly('claimed', 'snapshot', 'includesLost'),
    claimedVisible: chance.pick(['yes', 'no'] as const),
    inboxOrder,
    ownClinks: mostly('shown', 'hidden'),
    since: chance.pick(['exclusive', 'inclusive'] as const),
    responseText: chance.pick(['verbatim', 'trimmed'] as const),
    responseId: chance.pick(['present', 'absent'] as const),
    lengthUnit: chance.pick(['codepoints', 'utf16', 'bytes'] as const),
    recipientGone: chance.pick(['400', '200'] as const),
    rateLimit: chance.is(0.8) ? 'none' : chance.pick(['20/s', '10/s;date', '15/s;absent'] as const),
    clockSkew: chance.is(0.5) ? '0' : `${chance.is(0.5) ? '-' : ''}${chance.integer(1, 400)}m`,
  }
}

interface WorkerFacts {
  readonly lease: number
  readonly horizon: number
  /** The first worker's key is a user's. */
  readonly isWide: boolean
  /** The service's clock is not ours. */
  readonly isSkewed: boolean
}

function makeWorkers(chance: Chance, facts: WorkerFacts): readonly WorkerPlan[] {
  const { lease, horizon, isWide, isSkewed } = facts
  const count = chance.pick([1, 1, 2, 2, 3])
  const isShared = chance.is(0.5)
  // Siblings look at the same clinks: one that takes anyone's would get answers that another does not mark.
  const recipients = chance.is(0.8) ? 'open' : 'anyone'
  const names = isWide ? [TEAM, ...AGENTS] : AGENTS
  const idOf = (name: string): string => (name === TEAM ? 'user_team' : `ap_${name}`)
  return Array.from({ length: count }, (_, index) => {
    const agent = names[isShared ? 0 : index] ?? AGENTS[0]
    // The same owner has two keys: sometimes siblings use one, sometimes each has its own.
    const key = isShared && index > 0 && chance.is(0.3) ? `${agent}-b` : agent
    const fork = chance.fork(`worker ${index}`)
    const isAlone = !isShared || count === 1
    const owner = idOf(agent)
    const made = makeConfig(fork, { lease, isAlone, owner, name: `w${index + 1}`, for: recipients })
    const wallSkew = fork.is(0.7) ? 0 : fork.between(-3e7, 3e7)
    const turns = makeTurns(fork, lease, horizon)
    const hasTime = !isSkewed && wallSkew === 0 && !turns.some(({ what }) => what === 'wall-jump')
    const scope = { lease, isWide: agent === TEAM, hasTime }
    const inScope = makeScope(fork.fork('scope'), recipients, scope)
    const isLimited = inScope.claim !== 'batch' && fork.fork('loops').is(0.3)
    const loopLimit = isLimited ? made.inbox.loopLimit : null
    return {
      name: `w${index + 1}`,
      owner,
      key,
      config: { ...made, inbox: { ...made.inbox, ...inScope, loopLimit } },
      wallSkew,
      turns,
      changes: [],
    }
  })
}

interface ConfigFacts {
  readonly lease: number
  readonly isAlone: boolean
  readonly owner: string
  readonly name: string
  readonly for: 'open' | 'anyone'
}

function makeConfig(chance: Chance, { lease, isAlone, owner, name, for: recipients }: ConfigFacts): Config {
  const interval = Math.round(chance.logarithmic(500, 3_000))
  const drain = Math.round(chance.logarithmic(100, 20_000))
  const backoff = Math.round(chance.logarithmic(200, 10_000))
  return {
    clink: {
      url: 'https://clink.invalid',
      key: new Secret('sk_live_g_unused'),
      keyFile: null,
      session: name,
      identity: chance.is(0.5) ? 'auto' : owner,
      timeout: Math.round(chance.logarithmic(1_000, 30_000)),
    },
    inbox: {
      claim: 'auto',
      for: recipients,
      ignore: [],
      groups: [],
      maxAge: null,
      ownReplies: chance.pick(['leave', 'acknowledge'] as const),
      maxHops: 8,
      loopLimit: chance.is(0.7) ? null : { count: chance.integer(2, 6), window: 60_000 },
    },
    poll: {
      interval,
      maxInterval: Math.round(interval * chance.between(1, 8)),
      warm: { interval: 250, for: 0 },
      sweep: 300_000,
    },
    claim: {
      timeout: chance.is(0.75)
        ? lease
        : Math.max(3_000, Math.round((lease * chance.between(0.5, 1.5)) / 1_000) * 1_000),
      maxHold: Math.round(chance.logarithmic(5_000, 3_600_000)),
      exclusive: isAlone && chance.is(0.5),
      trustRenewals: chance.is(0.3),
    },
    concurrency: chance.integer(1, 8),
    handlers: {
      directory: '/nowhere',
      watch: false,
      runner: 'inline',
      threads: 'auto',
      threadMemory: 536_870_912,
      idle: null,
      timeout: Math.round(chance.logarithmic(5_000, 900_000)),
      grace: Math.round(chance.logarithmic(1_000, 30_000)),
    },
    routes: [],
    retry: {
      attempts: chance.integer(1, 4),
      backoff,
      maxBackoff: Math.round(backoff * chance.between(1, 6)),
      cooldown: Math.round(chance.logarithmic(1_000, 120_000)),
      crashes: 3,
      // Where the last clink is one that never succeeds, a seed takes as long as its probes may.
      outage: 3_600_000,
      onExhausted: chance.pick(['release', 'complete'] as const),
    },
    replies: { mark: MARK },
    shutdown: { timeout: Math.round(drain * chance.between(1.2, 2) + 500), drain },
    state: { directory: '/nowhere', sync: 'normal', keep: 1_209_600_000, url: null, urlFile: null, fleet: 'default' },
    server: { enabled: false, host: '127.0.0.1', port: 0, tokenFile: null, allowedHosts: [], pickupSlo: 60_000 },
    log: { level: 'silent', format: 'json', content: false, keep: null },
  }
}

function makeFaults(chance: Chance, lease: number, horizon: number): FaultPlan {
  const count = chance.pick([0, 0, 1, 2])
  return {
    rate: chance.pick([0, 0.02, 0.05, 0.15, 0.4]),
    latency: chance.logarithmic(5, 400),
    scale: chance.logarithmic(1_000, 1_000 + 2 * lease),
    outages: Array.from({ length: count }, () => {
      const from = chance.between(0, horizon)
      const to = from + chance.logarithmic(500, 2 * lease)
      const kind = chance.pick(['refused', 'hang-before', 'reset-before', 'status-before', 'reset-after'] as const)
      return { from, to, kind }
    }),
    until: horizon,
  }
}

function makeClinks(chance: Chance, workers: readonly WorkerPlan[], horizon: number): readonly ClinkPlan[] {
  const owners = workers.map(({ owner }) => owner)
  const count = Math.round(chance.logarithmic(5, 60))
  return Array.from({ length: count }, (_, index) => {
    const own = chance.is(0.08)
    const from = own ? chance.pick(owners) : chance.pick(SENDERS)
    const to = chance.weighted({ nobody: 6, worker: 3, other: 0.5 })
    const mark = own && chance.is(0.6) ? `\n${MARK} · hop 1` : ''
    const text = `${chance.is(0.03) ? NO_ROUTE : `c${index}`}${mark}`
    const recipient = to === 'nobody' ? undefined : to === 'worker' ? chance.pick(owners) : 'user_boss'
    // Agent profiles are in one group.
    const isOfAgent = [from, recipient].some((id) => id?.startsWith('ap_') === true)
    return {
      group: owners.includes('user_team') && !isOfAgent && chance.is(0.4) ? OTHER_GROUP : GROUP,
      // Some come at once, so that pages are full.
      at: chance.is(0.4) ? Math.floor(chance.next() * 3) * (horizon / 4) : chance.between(0, horizon * 0.9),
      text,
      from,
      ...(recipient === undefined ? {} : { for: recipient }),
    }
  })
}

function makeRestarts(chance: Chance): Plan['restarts'] {
  return { newBoot: chance.pick([0, 0, 0, 0.5]), newState: chance.pick([0, 0, 0, 0, 0.3]) }
}

/** Now and then a clink that ends every process which runs it. */
function makeKillers(chance: Chance, horizon: number): readonly ClinkPlan[] {
  return chance.is(0.1) ? [{ at: chance.between(0, horizon * 0.7), group: GROUP, text: KILLER, from: 'alice' }] : []
}

function makePeople(chance: Chance, horizon: number): readonly PersonPlan[] {
  const count = chance.pick([0, 0, 1, 3, 6])
  return Array.from({ length: count }, () => ({
    at: chance.between(0, horizon),
    what: chance.weighted({ complete: 3, release: 3, claim: 3, leave: 1 }),
  }))
}

/** The worker of a process. */
export function workerOf(plan: Plan, life: string): WorkerPlan {
  const worker = plan.workers.find(({ name }) => life.startsWith(`${name}.`))
  if (worker === undefined) throw new Error(`No worker for ${life}`)
  return worker
}
