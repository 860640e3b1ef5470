import type { Config } from '../../src/config/config.ts'
import type { Chance } from './chance.ts'

export const GROUP = 'ops'
/** Seen only by keys of users. */
export const OTHER_GROUP = 'dev'
/** Slugs and ids. */
export const GROUPS = [
  { slug: GROUP, id: '6f1f6f0e-0f7b-4c0e-9a53-5d6c1f0a7b01' },
  { slug: OTHER_GROUP, id: '6f1f6f0e-0f7b-4c0e-9a53-5d6c1f0a7b02' },
] as const
/** Who sends, by id, or by name, or ourselves; one of them is ignored at times. */
const IGNORED = ['user_carol', { name: 'bob' }, 'self'] as const

interface ScopeFacts {
  readonly lease: number
  /** It sees two groups. */
  readonly isWide: boolean
  /** The clocks of the service and of the worker agree. */
  readonly hasTime: boolean
}

/** What a worker looks at, and how it claims that. */
export function makeScope(
  chance: Chance,
  recipients: 'open' | 'anyone',
  { lease, isWide, hasTime }: ScopeFacts,
): Pick<Config['inbox'], 'claim' | 'for' | 'groups' | 'ignore' | 'maxAge'> {
  const claim = chance.weighted({ auto: 3, batch: 2, select: 2 })
  const all = { claim, for: recipients, groups: [], ignore: [], maxAge: null }
  if (claim === 'batch') return all
  const some = [[GROUP], [OTHER_GROUP, 'nowhere'], [GROUP, OTHER_GROUP], [GROUPS[1].id.toUpperCase()]] as const
  return {
    ...all,
    for: recipients === 'open' && chance.is(0.1) ? 'me' : recipients,
    ignore: chance.is(0.1) ? [chance.pick(IGNORED)] : [],
    groups: isWide && chance.is(0.6) ? [...chance.pick(some)] : chance.is(0.05) ? [GROUP] : [],
    maxAge: hasTime && chance.is(0.1) ? Math.round(chance.logarithmic(lease / 2, 8 * lease)) : null,
  }
}
