import type { Config } from '../../src/config/config.ts'
import type { Chance } from './chance.ts'
import type { FaultKind } from './faults.ts'
import { asFleet, pausedFleet } from './plan-fleet.ts'
import { makeHolds } from './plan-holds.ts'
import { makeKeys } from './plan-keys.ts'
import { GROUP } from './plan-scope.ts'
import { makeChanges } from './plan-settings.ts'
import type { ClinkPlan, Plan, WorkerPlan } from './plan.ts'
import { runnerWords } from './words-of-runners.ts'
import { ALL_WORDS, FIELDS, FLEET, SAYS, TIME_FORMS, type PagePlan, type WordName, type World } from './world.ts'

/** What a seed may have beside what every seed has: how often, and what it makes of the plan. */
export interface Word {
  readonly part: number
  /** The same of plans of fleets. Default: as of others. */
  readonly partOfFleets?: number
  readonly spoken: (plan: Plan, chance: Chance) => Plan
}

/** Every status that a proxy may answer with and that would be a verdict from the service. */
const VERDICTS = [400, 403, 404, 405, 407, 409, 410, 422] as const
/** Others that it may answer with. */
const OTHERS = [401, 402, 406, 408, 413, 418, 429, 451, 500, 502, 503, 504, 521, 302] as const
const BODIES = ['html', 'html', 'empty', 'cut', 'object', 'list'] as const
const ASKED = ['claim', 'sibling', 'complete', 'release', 'probe', 'poll'] as const

const table: { readonly [W in WordName]: Word } = {
  /** Three workers that remember together. */
  fleet: { part: 0, spoken: asFleet },
  /** Clinks whose handlers never succeed, so many that they may pause their route, beside others. */
  never: {
    part: 0.06,
    spoken: (plan, chance) => {
      const count = chance.integer(2, 12)
      return withClinks(
        impatient(plan, chance),
        many(count, chance, plan.calmAt, (index) => `${SAYS.never} ${index}`),
      )
    },
  },
  /** A dependency of all handlers is away, for longer than a route is paused between two probes. */
  failing: {
    part: 0.05,
    spoken: (plan, chance) => {
      const from = chance.between(0, plan.calmAt * 0.7)
      const to = from + chance.logarithmic(10_000, 600_000)
      return {
        ...withWorld(impatient(plan, chance), { failing: [{ from, to }] }),
        calmAt: Math.max(plan.calmAt, to + 1),
      }
    },
  },
  /** A page in place of an answer, now and then. */
  page: {
    part: 0.08,
    spoken: (plan, chance) => {
      const count = chance.integer(1, 3)
      const pages = Array.from({ length: count }, () => makePage(chance, plan, chance.pick([0.05, 0.2, 0.5])))
      return withWorld(plan, { pages })
    },
  },
  /** Nothing but pages for one kind of request, for a long time. */
  pages: {
    part: 0.05,
    spoken: (plan, chance) => withWorld(plan, { pages: [{ ...makePage(chance, plan, 1), from: 0, to: plan.calmAt }] }),
  },
  /** A service, or something before it, that refuses without the envelope. */
  bare: {
    part: 0.05,
    spoken: (plan, chance) => {
      // What a service wants otherwise it could not say.
      const asked = switched(plan, { maxTimeout: 'none', maxLimit: 'cap:100' })
      return withWorld(asked, { refusals: chance.pick(['object', 'html'] as const) })
    },
  },
  sends: {
    part: 0.06,
    spoken: (plan, chance) =>
      withClinks(
        plan,
        many(chance.integer(2, 6), chance, plan.calmAt, (index) => `${SAYS.sends} ${index}`),
      ),
  },
  /** Two agents that answer each other. */
  ring: { part: 0.05, spoken: (plan, chance) => ringOf(plan, chance, SAYS.ring) },
  mixed: { part: 0.04, spoken: (plan, chance) => ringOf(plan, chance, SAYS.mixed) },
  marks: {
    part: 0.06,
    spoken: (plan) =>
      configured(plan, (config, index) => ({
        ...config,
        replies: { ...config.replies, mark: MARKS[index % 3] ?? '' },
      })),
  },
  /** One sender that writes a lot at once, or in one go for a long time. */
  busy: {
    part: 0.04,
    spoken: (plan, chance) => {
      const count = Math.round(chance.logarithmic(60, 300))
      const over = chance.pick([0, 1_000, plan.calmAt * 0.8])
      const at = chance.between(0, plan.calmAt * 0.2)
      const from = chance.pick(['alice', 'bob', 'zed'])
      const clinks = Array.from({ length: count }, (_, index) => ({
        group: GROUP,
        at: at + (over * index) / count,
        text: `${SAYS.quick} ${index}`,
        from,
      }))
      return withClinks(plan, clinks)
    },
  },
  /** One sender that writes on as soon as it is answered. */
  asker: {
    part: 0.04,
    spoken: (plan, chance) => {
      const asker = {
        from: chance.pick(['alice', 'bob', 'zed']),
        at: chance.between(0, plan.calmAt * 0.3),
        count: Math.round(chance.logarithmic(40, 120)),
        group: GROUP,
        pause: chance.pick([0, 100, 1_000]),
      }
      return withWorld(plan, { askers: [asker] })
    },
  },
  times: {
    part: 0.08,
    spoken: (plan, chance) => withWorld(plan, { times: chance.pick(TIME_FORMS) }),
  },
  field: {
    part: 0.08,
    spoken: (plan, chance) => {
      const name = chance.pick(FIELDS)
      // A number is read as its text: it would name another clink, or somebody else who holds it or is meant (§0).
      const isNamed = name === 'clink_id' || name === 'claimed_by' || name === 'for'
      const as = chance.weighted({ absent: 3, null: 1, number: isNamed ? 0 : 2 })
      // Without these nobody can work a clink: not all of them lack it.
      const isNeeded = name === 'clink_id' || name === 'content' || name === 'group_id' || name === 'sender_id'
      return withWorld(plan, { field: { name, as, every: isNeeded ? chance.integer(3, 7) : chance.pick([1, 1, 3]) } })
    },
  },
  /** Pages do not show that their clinks are claimed, and a claim cannot be asked about. */
  'snapshot-refuse': {
    part: 0.05,
    spoken: (plan) => switched(plan, { pollRecords: 'snapshot', reclaim: 'refuse' }),
  },
  'absent-ignore': {
    part: 0.05,
    spoken: (plan) => switched(plan, { claimTimes: 'absent', reclaim: 'ignore' }),
  },
  /** Renewals ask for less than polls give, and often nobody knows what became of one. */
  shorter: {
    part: 0.05,
    spoken: (plan, chance) => {
      const lease = Math.min(plan.lease * chance.pick([4, 8]), 300_000)
      const latency = Math.min(plan.faults.latency, plan.lease / 40)
      const outages = ['reset-after', 'refused', 'hang-after'].map((kind) => {
        const from = chance.between(0, plan.calmAt)
        return { from, to: from + chance.logarithmic(plan.lease / 4, lease), kind: kind as FaultKind }
      })
      const told = switched(plan, {
        claimTimes: 'present',
        defaultTimeout: Math.round(lease / 1_000),
        maxTimeout: 'none',
        reclaim: 'renew',
      })
      return { ...told, lease, faults: { ...plan.faults, latency, outages: [...plan.faults.outages, ...outages] } }
    },
  },
  single: {
    part: 0.05,
    spoken: (plan) => configured(plan, (config) => ({ ...config, concurrency: 1 })),
  },
  /** Clinks that become visible after younger ones. */
  late: {
    part: 0.06,
    spoken: (plan, chance) => ({
      ...plan,
      clinks: plan.clinks.map((clink) => (chance.is(0.5) ? { ...clink, late: chance.logarithmic(10, 4_000) } : clink)),
    }),
  },
  /** Keys are exchanged while the network fails. */
  keys: {
    part: 0.04,
    spoken: (plan, chance) => ({
      ...plan,
      keys: plan.keys.length > 0 ? plan.keys : makeKeys(chance, plan.workers, plan.calmAt, 'team', 1),
      faults: { ...plan.faults, rate: Math.max(plan.faults.rate, chance.pick([0.15, 0.4])) },
    }),
  },
  /** Somebody sets the clock while a worker stops. */
  'clock-in-stop': {
    part: 0.06,
    spoken: (plan, chance) => ({
      ...plan,
      workers: plan.workers.map((worker) => {
        const at = chance.between(0.05, 0.9) * plan.calmAt
        const turns = [
          ...worker.turns,
          { at, what: 'stop' as const, ms: chance.logarithmic(100, 5_000) },
          {
            at: at + chance.between(1, worker.config.shutdown.drain),
            what: 'wall-jump' as const,
            ms: chance.logarithmic(10, 40_000),
          },
        ]
        return { ...worker, turns: turns.sort((a, b) => a.at - b.at) }
      }),
    }),
  },
  /** A clink whose claim by id is a 500 for good, for workers that choose. */
  sour: {
    part: 0.05,
    spoken: (plan, chance) =>
      withClinks(
        choosing(plan),
        many(chance.integer(1, 2), chance, plan.calmAt * 0.5, (index) => `${SAYS.sour} ${index}`),
      ),
  },
  /** Operators pause and drain workers, and have them go on. */
  holds: {
    part: 0.06,
    spoken: (plan, chance) => withWorld(plan, { holds: makeHolds(chance, plan.workers, plan.calmAt) }),
  },
  /** Somebody pauses the whole fleet, for a time or until he ends it. */
  'paused-fleet': { part: 0, partOfFleets: 0.15, spoken: pausedFleet },
  /** What its route allows at once, and in a time, is meant of the whole fleet. */
  'fleet-limits': {
    part: 0,
    partOfFleets: 0.15,
    spoken: (plan, chance) => {
      const rate = {
        count: chance.integer(1, 5),
        window: Math.round(chance.logarithmic(1_000, 20_000)),
        scope: 'fleet' as const,
      }
      const serial = { serial: chance.pick(['group', 'sender', 'sender'] as const), serialScope: 'fleet' as const }
      const limits = { ...plan.world.limits, ...chance.pick([{ rate }, serial, { rate, ...serial }]) }
      const clinks = many(chance.integer(5, 30), chance, plan.calmAt, (index) => `${SAYS.quick} ${index}`)
      return withWorld(withClinks(plan, clinks), { limits })
    },
  },
  /** Dead letters by the dozen, for workers that choose. */
  letters: {
    part: 0.04,
    spoken: (plan, chance) => {
      const clinks = many(chance.integer(30, 90), chance, plan.calmAt * 0.5, (index) => `${SAYS.never} ${index}`)
      const strict = configured(impatient(choosing(plan), chance), (config) => ({
        ...config,
        retry: { ...config.retry, attempts: 1, onExhausted: 'release' },
      }))
      return withClinks({ ...strict, people: [] }, clinks)
    },
  },
  /** Which route takes a clink is known late, or could not be found out. */
  patterns: {
    part: 0.06,
    spoken: (plan, chance) => {
      const slowest = chance.pick([250, 5_000, plan.lease / 2, 1.5 * plan.lease])
      const [part, failing] = [chance.pick([0.1, 0.5, 1]), chance.pick([0, 0, 0.2])]
      return withWorld(plan, { patterns: { part, slowest, failing, until: plan.calmAt } })
    },
  },
  /** The route has limits, and more clinks come than these let in at once. */
  limits: {
    part: 0.06,
    spoken: (plan, chance) => {
      const rate = { count: chance.integer(1, 5), window: Math.round(chance.logarithmic(1_000, 20_000)) }
      const limits = {
        ...(chance.is(0.5) && { concurrency: chance.integer(1, 3) }),
        ...(chance.is(0.5) && { rate }),
        ...(chance.is(0.5) && { serial: chance.pick(['group', 'sender'] as const) }),
      }
      const clinks = many(chance.integer(5, 30), chance, plan.calmAt, (index) => `${SAYS.quick} ${index}`)
      return withWorld(withClinks(chance.is(0.5) ? choosing(plan) : plan, clinks), { limits })
    },
  },
  /** A clink of the route takes several slots. */
  heavy: {
    part: 0.05,
    spoken: (plan, chance) => {
      const clinks = many(chance.integer(3, 20), chance, plan.calmAt, (index) => `${SAYS.quick} ${index}`)
      const limits = { ...plan.world.limits, weight: chance.integer(2, 8) }
      return withWorld(withClinks(chance.is(0.3) ? choosing(plan) : plan, clinks), { limits })
    },
  },
  /** Handlers do parts of their work once. */
  steps: {
    part: 0.06,
    spoken: (plan, chance) => withWorld(plan, { steps: { most: chance.integer(1, 6) } }),
  },
  /** Handlers sleep, alone or between their steps. */
  sleeps: {
    part: 0.06,
    spoken: (plan, chance) => withWorld(plan, { sleeps: { longest: chance.logarithmic(1_000, plan.calmAt) } }),
  },
  /** Journals are written late, and for some time not at all. */
  'slow-store': {
    part: 0.06,
    spoken: (plan, chance) => {
      const slowest = chance.logarithmic(10, slowestOf(plan))
      const failing = Array.from({ length: chance.integer(0, 3) }, () => {
        const from = chance.between(0, plan.calmAt)
        return { from, to: from + chance.logarithmic(500, 120_000) }
      })
      const calmAt = Math.max(plan.calmAt, ...failing.map(({ to }) => to + 1))
      return { ...withWorld(plan, { store: { slowest, prompt: chance.pick([0, 0.5]), failing } }), calmAt }
    },
  },
  /** Workers are given other settings while they work. It goes by what the others before it have made of the configurations. */
  settings: {
    part: 0.06,
    spoken: (plan, chance) => {
      const workers = plan.workers.map((worker) => ({
        ...worker,
        changes: makeChanges(worker, chance.fork(worker.name), plan.calmAt),
      }))
      return { ...plan, workers }
    },
  },
  ...runnerWords,
}

/** None; all but those of runners, as likely as they are; all; all that fit a fleet, in fleets; or these in every seed, and no others. */
export type Vocabulary = 'old' | 'own' | 'all' | typeof FLEET | readonly WordName[]

/** Two workers that are about to talk to each other, and keys, which are no matter of a fleet. */
const ALONE: ReadonlySet<WordName> = new Set(['ring', 'mixed', 'keys'])

const MARKS = ['— clink-worker', '-- agent two', '🤖'] as const

/** @param chance of the seed: each word draws from a fork of its own, and nothing else of the plan changes by it. */
export function speak(plan: Plan, chance: Chance, vocabulary: Vocabulary): Plan {
  if (vocabulary === 'old') return plan
  const words = ALL_WORDS.filter((name) => {
    const { part: usual, partOfFleets = usual } = table[name]
    const part = vocabulary === FLEET ? partOfFleets : usual
    const isDrawn = part > 0 && chance.fork(`word ${name}`).is(part)
    if (vocabulary === 'own') return isDrawn && !(name in runnerWords)
    if (vocabulary === FLEET) return name === FLEET || (isDrawn && !ALONE.has(name))
    return vocabulary === 'all' ? isDrawn : vocabulary.includes(name)
  })
  const spoken = words.reduce<Plan>((made, name) => table[name].spoken(made, chance.fork(`of ${name}`)), plan)
  return { ...spoken, words }
}

/** Milliseconds that a write may take: where it takes longer than a claim or a stop lasts, nobody can work. */
export function slowestOf({ lease, workers }: Plan): number {
  return Math.min(3_000, lease / 6, ...workers.map(({ config }) => config.shutdown.timeout / 6))
}

function withWorld(plan: Plan, change: Partial<World>): Plan {
  const pages = [...plan.world.pages, ...(change.pages ?? [])]
  return { ...plan, world: { ...plan.world, ...change, pages } }
}

function withClinks(plan: Plan, clinks: readonly ClinkPlan[]): Plan {
  return { ...plan, clinks: [...plan.clinks, ...clinks] }
}

function switched(plan: Plan, switches: Plan['switches']): Plan {
  return { ...plan, switches: { ...plan.switches, ...switches } }
}

function configured(plan: Plan, change: (config: Config, index: number) => Config): Plan {
  const workers = plan.workers.map((worker, index) => ({ ...worker, config: change(worker.config, index) }))
  return { ...plan, workers }
}

/** A pause ends sooner than by default for clinks that fail all the time. */
function impatient(plan: Plan, chance: Chance): Plan {
  const outage = Math.round(chance.logarithmic(30_000, 900_000))
  return configured(plan, (config) => ({ ...config, retry: { ...config.retry, outage } }))
}

function choosing(plan: Plan): Plan {
  return configured(plan, (config) => ({ ...config, inbox: { ...config.inbox, claim: 'select' } }))
}

function many(count: number, chance: Chance, until: number, text: (index: number) => string): readonly ClinkPlan[] {
  // All at once, or one after the other.
  const isBurst = chance.is(0.4)
  const first = chance.between(0, until * 0.5)
  return Array.from({ length: count }, (_, index) => ({
    group: GROUP,
    at: isBurst ? first : chance.between(0, until * 0.9),
    text: text(index),
    from: chance.pick(['alice', 'bob', 'carol']),
  }))
}

function makePage(chance: Chance, plan: Plan, rate: number): PagePlan {
  const from = chance.between(0, plan.calmAt * 0.8)
  const page = {
    from,
    to: Math.min(plan.calmAt, from + chance.logarithmic(1_000, plan.calmAt)),
    rate,
    status: chance.is(0.75) ? chance.pick(VERDICTS) : chance.pick(OTHERS),
    body: chance.pick(BODIES),
    isAfter: chance.is(0.3),
  }
  return chance.is(0.3) ? page : { ...page, kinds: [chance.pick(ASKED)] }
}

/** Two workers of two agent profiles, each of which answers whatever comes; some clinks begin it. */
function ringOf(plan: Plan, chance: Chance, text: string): Plan {
  const [first] = plan.workers
  if (first === undefined) return plan
  const owners = ['one', 'two'] as const
  const workers = owners.map((name, index): WorkerPlan => {
    const like = plan.workers[index] ?? first
    const { config } = like
    const owner = `ap_${name}`
    const identity = config.clink.identity === 'auto' ? 'auto' : owner
    return {
      ...like,
      name: `w${index + 1}`,
      owner,
      key: name,
      config: {
        ...config,
        clink: { ...config.clink, identity, session: `w${index + 1}` },
        inbox: { ...config.inbox, ignore: [], groups: [], maxAge: null, for: 'open' },
        claim: { ...config.claim, exclusive: true },
      },
    }
  })
  const clinks = Array.from({ length: chance.integer(1, 3) }, (_, index) => {
    const [from, to] = chance.is(0.5) ? ['one', 'ap_two'] : ['two', 'ap_one']
    return { group: GROUP, at: chance.between(0, plan.calmAt * 0.6), text: `${text} ${index}`, from, for: to }
  })
  return withClinks({ ...plan, workers, keys: [], letters: [] }, clinks)
}
