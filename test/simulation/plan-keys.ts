import type { Chance } from './chance.ts'
import { GROUP, OTHER_GROUP } from './plan-scope.ts'
import type { Plan, WorkerPlan } from './plan.ts'

/** What somebody does about the keys of workers, at a time. */
export type KeyPlan = { readonly at: number } & (
  | {
      /** Writes a key into the key file of a worker; the same one again says that it may work now. */
      readonly what: 'write'
      readonly worker: string
      readonly key: string
    }
  | {
      /** At the service: takes it for good or for a while, or only what it may do. */
      readonly what: 'suspend' | 'resume' | 'forbid-claims' | 'forbid-all' | 'permit'
      readonly key: string
    }
  | {
      /** The owner is a member of the group no more. */
      readonly what: 'leave'
      readonly owner: string
      readonly group: string
    }
)

type SeedKey = Plan['seeding']['keys'][number]

/** How many new keys an owner gets at most. */
const TROUBLES = 3
/** An agent whose key is written by mistake, and a user with whose key the same happens. */
export const STRANGER = 'zed'
const STRANGE_KEYS = ['zed', 'alice'] as const
const SEEDS = 0.3

/** Keys that are there beside those that workers begin with. */
export function spareKeys(owners: readonly string[]): readonly SeedKey[] {
  const spare = owners.flatMap((owner) =>
    Array.from({ length: TROUBLES }, (_, index) => ({ name: `${owner}-${index}`, owner })),
  )
  return [...spare, ...STRANGE_KEYS.map((name) => ({ name, owner: name }))]
}

/** Id of the owner of a key, by the name of the key. */
export function ownerOf({ seeding }: Plan, key: string | undefined): string | undefined {
  const owner = seeding.keys.find(({ name }) => name === key)?.owner
  if (owner === undefined) return undefined
  return seeding.agents?.some(({ name }) => name === owner) === true ? `ap_${owner}` : `user_${owner}`
}

/**
 * Troubles with one key after another. Each begins and ends within a time of its own, and leaves the workers with a key that works.
 *
 * @param wide the user whose key sees two groups.
 * @param part how likely there are any.
 */
export function makeKeys(
  chance: Chance,
  workers: readonly WorkerPlan[],
  horizon: number,
  wide: string,
  part = SEEDS,
): readonly KeyPlan[] {
  if (!chance.is(part)) return []
  const first = chance.pick(workers)
  const all = workers.filter(({ key }) => key === first.key).map(({ name }) => name)
  const owner = first.owner.replace(/^(ap|user)_/, '')
  const count = chance.integer(1, TROUBLES)
  const length = (0.85 * horizon) / count
  const plans: KeyPlan[] = []
  let { key } = first
  for (let index = 0; index < count; index += 1) {
    const from = 0.1 * horizon + index * length
    const trouble = { chance, workers: all, key, next: `${owner}-${index}`, from, to: from + length }
    const what = chance.weighted({ rotate: 4, stranger: 2, suspend: 2, forbid: 1 })
    plans.push(...TROUBLE[what](trouble))
    if (what === 'rotate') key = trouble.next
  }
  const leaves = first.owner === `user_${wide}` && chance.is(0.5)
  if (leaves)
    plans.push({ at: chance.between(0, horizon), what: 'leave', owner: wide, group: chance.pick([GROUP, OTHER_GROUP]) })
  return plans.toSorted((a, b) => a.at - b.at)
}

interface Trouble {
  readonly chance: Chance
  /** Whose key files hold the key. */
  readonly workers: readonly string[]
  readonly key: string
  readonly next: string
  readonly from: number
  readonly to: number
}

const TROUBLE = {
  /** A new key of the same owner; the old one is taken, before that or after. */
  rotate: ({ chance, workers, key, next, from, to }: Trouble): readonly KeyPlan[] => {
    const [start, end] = [chance.between(from, to), chance.between(from, to)].sort((a, b) => a - b) as [number, number]
    const isLate = chance.is(0.3)
    const at = (): number => chance.between(isLate ? end : start, isLate ? to : end)
    const writes = workers.map((worker) => ({ at: at(), what: 'write' as const, worker, key: next }))
    return [...writes, { at: isLate ? start : end, what: 'suspend', key }]
  },
  /** Somebody else's key, until somebody notices. */
  stranger: ({ chance, workers, key, from, to }: Trouble): readonly KeyPlan[] => {
    const worker = chance.pick(workers)
    const at = chance.between(from, to)
    const strange = chance.weighted({ [STRANGE_KEYS[0]]: 3, [STRANGE_KEYS[1]]: 1 })
    return [
      { at, what: 'write', worker, key: strange },
      { at: chance.between(at, to), what: 'write', worker, key },
    ]
  },
  suspend: (trouble: Trouble): readonly KeyPlan[] => forAWhile(trouble, 'suspend', 'resume'),
  forbid: (trouble: Trouble): readonly KeyPlan[] =>
    forAWhile(trouble, trouble.chance.pick(['forbid-claims', 'forbid-all'] as const), 'permit'),
}

function forAWhile(
  { chance, workers, key, from, to }: Trouble,
  what: 'suspend' | 'forbid-claims' | 'forbid-all',
  then: 'resume' | 'permit',
): readonly KeyPlan[] {
  const at = chance.between(from, to)
  const over = chance.between(at, to)
  // Sometimes the workers are told that it is over.
  const told = workers.filter(() => chance.is(0.3))
  return [
    { at, what, key },
    { at: over, what: then, key },
    ...told.map((worker) => ({ at: over + 1, what: 'write' as const, worker, key })),
  ]
}
