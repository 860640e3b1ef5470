import type { Chance } from './chance.ts'
import type { ClinkPlan, Plan, WorkerPlan } from './plan.ts'
import { GROUP } from './plan-scope.ts'
import { makeTurns } from './plan-turns.ts'
import { SAYS } from './world.ts'

/** A time in which the shared store fails, for all members or for one of them. */
interface StoreOutage {
  readonly from: number
  readonly to: number
  /** Absent: all of them. */
  readonly worker?: string
  /** `read-only`: what writes is refused, as by a standby. */
  readonly kind: 'refused' | 'hangs' | 'read-only'
}

/** Somebody pauses the whole fleet for so long. */
interface FleetPausePlan {
  readonly at: number
  readonly ms: number
  /** That he said so at once; otherwise he ends it then. */
  readonly isTold: boolean
}

/** Workers that remember together, and how the store behaves in which they do. Times are virtual milliseconds. */
export interface FleetPlan {
  /** The longest that a call takes on its way there, and its answer on its way back. */
  readonly slowest: number
  /** Part of the calls that take longer than a moment. */
  readonly slow: number
  /** Part of the calls that fail, before they are carried out, after it, or while nobody knows. */
  readonly failing: number
  /** Part of the writes in the middle of which the process of the member ends. */
  readonly killing: number
  readonly outages: readonly StoreOutage[]
  readonly pauses: readonly FleetPausePlan[]
  /** After it nothing goes wrong any more. */
  readonly until: number
}

const MEMBERS = ['one', 'two', 'three'] as const

/** Three workers that remember together, over one owner or three, and clinks that fail often enough to be given up. */
export function asFleet(plan: Plan, chance: Chance): Plan {
  const isShared = chance.is(0.5)
  const workers = MEMBERS.map((_, index) => makeMember(plan, chance.fork(`member ${index}`), index, isShared))
  const count = chance.integer(1, 4)
  const never = Array.from({ length: count }, (_, index): ClinkPlan => {
    const at = chance.between(0, plan.calmAt * 0.6)
    return { group: GROUP, at, text: `${SAYS.never} ${index}`, from: chance.pick(['alice', 'bob', 'carol']) }
  })
  const clinks = plan.clinks.map((clink) => {
    const { for: recipient } = clink
    const isForWorker = recipient !== undefined && recipient !== 'user_boss'
    // Agents are in one group only.
    return { ...clink, group: GROUP, ...(isForWorker && { for: chance.pick(workers).owner }) }
  })
  const letters = plan.letters.map((letter) => ({ ...letter, worker: chance.pick(workers).name }))
  const fleet = makeFleet(chance.fork('store'), plan)
  const world = { ...plan.world, fleet }
  return { ...plan, workers, letters, keys: [], clinks: [...clinks, ...never], world }
}

function makeMember(plan: Plan, chance: Chance, index: number, isShared: boolean): WorkerPlan {
  const [first] = plan.workers
  const like = plan.workers[index] ?? first
  if (first === undefined || like === undefined) throw new Error('a plan has a worker')
  const key = isShared ? MEMBERS[0] : (MEMBERS[index] ?? MEMBERS[0])
  const [owner, name] = [`ap_${key}`, `w${index + 1}`]
  const { config } = like
  const identity = config.clink.identity === 'auto' ? 'auto' : owner
  const { attempts, onExhausted } = first.config.retry
  return {
    ...like,
    name,
    owner,
    key,
    // Machines of one fleet have about the same time.
    wallSkew: chance.is(0.7) ? 0 : chance.between(-500, 500),
    turns: [...makeTurns(chance.fork('turns'), plan.lease, plan.calmAt), ...crashes(chance.fork('crashes'), plan)]
      .filter(({ what }) => what !== 'wall-jump')
      .sort((a, b) => a.at - b.at),
    config: {
      ...config,
      clink: { ...config.clink, identity, session: name },
      claim: { ...config.claim, exclusive: !isShared && config.claim.exclusive },
      // Nobody else's clinks: what is for one of them the others must not take.
      inbox: { ...config.inbox, groups: [], ignore: first.config.inbox.ignore, for: 'open' },
      retry: { ...config.retry, attempts, onExhausted },
    },
  }
}

function crashes(chance: Chance, { calmAt, lease }: Plan): WorkerPlan['turns'] {
  return Array.from({ length: chance.pick([0, 0, 1, 2, 4]) }, () => ({
    at: chance.between(0, calmAt),
    what: 'crash' as const,
    ms: chance.logarithmic(100, 3 * lease),
  }))
}

function makeFleet(chance: Chance, { calmAt, lease, workers }: Plan): FleetPlan {
  const outages = Array.from({ length: chance.pick([0, 0, 1, 2, 4]) }, (): StoreOutage => {
    const from = chance.between(0, calmAt)
    const to = Math.min(calmAt, from + chance.logarithmic(200, 3 * lease))
    const kind = chance.pick(['refused', 'hangs', 'read-only'] as const)
    return chance.is(0.5) ? { from, to, kind } : { from, to, kind, worker: `w${chance.integer(1, 3)}` }
  })
  // Where a call takes longer than a claim or a stop lasts, nobody can work.
  const stops = workers.map(({ config }) => config.shutdown.timeout)
  const longest = Math.min(3_000, lease / 8, ...stops.map((ms) => ms / 8))
  return {
    slowest: chance.logarithmic(5, Math.max(6, longest)),
    slow: chance.pick([0.05, 0.3, 1]),
    failing: chance.pick([0, 0, 0.01, 0.05, 0.2]),
    killing: chance.pick([0, 0, 0.005, 0.02]),
    outages,
    pauses: [],
    until: calmAt,
  }
}

/** All pauses are over before the calm, and none of them stands while another one does. */
export function pausedFleet(plan: Plan, chance: Chance): Plan {
  const { fleet } = plan.world
  if (fleet === undefined) return plan
  const count = chance.integer(1, 3)
  const part = (0.8 * plan.calmAt) / count
  const pauses = Array.from({ length: count }, (_, n): FleetPausePlan => {
    const at = n * part + chance.between(0.02, 0.5) * part
    return { at, ms: chance.logarithmic(500, Math.max(501, 0.4 * part)), isTold: chance.is(0.5) }
  })
  return { ...plan, world: { ...plan.world, fleet: { ...fleet, pauses } } }
}
