import { CodedError } from '../base/coded-error.ts'
import { parseDuration } from '../base/duration.ts'
import { didYouMean } from '../base/nearest.ts'

/** One open question about the real service. `first` is the default; `parse` gives `undefined` for what is no setting. */
interface Switch<Setting extends string | number, Rule> {
  readonly first: Setting
  readonly settings: readonly string[]
  parse(text: string): Rule | undefined
}

function choice<const T extends string>(...settings: readonly [T, ...T[]]): Switch<T, T> {
  return { first: settings[0], settings, parse: (text) => settings.find((setting) => setting === text) }
}

/** What happens to a number above `limit`: taken as `limit`, or refused. */
export interface Bound {
  readonly kind: 'cap' | 'reject'
  readonly limit: number
}

function bound<const T extends string>(first: T, settings: readonly string[]): Switch<T | Bounded, Bound> {
  return {
    first,
    settings,
    parse(text) {
      if (text === 'none' && settings.includes('none')) return { kind: 'cap', limit: Infinity }
      const [, kind, limit] = /^(cap|reject):([1-9]\d*)$/.exec(text) ?? []
      return kind === 'cap' || kind === 'reject' ? { kind, limit: Number(limit) } : undefined
    },
  }
}
type Bounded = `cap:${number}` | `reject:${number}`

/** So many requests a second for each key, and how the answer 429 says when to come back. */
interface RateLimit {
  readonly perSecond: number
  readonly retryAfter: (typeof retryAfters)[number]
}
const retryAfters = ['seconds', 'date', 'absent'] as const
type RateSetting = 'none' | `${number}/s` | `${number}/s;${RateLimit['retryAfter']}`

const rateLimit: Switch<RateSetting, RateLimit> = {
  first: 'none',
  settings: ['none', 'N/s', 'N/s;seconds', 'N/s;date', 'N/s;absent'],
  parse(text) {
    if (text === 'none') return { perSecond: Infinity, retryAfter: 'seconds' }
    const [, perSecond, kind = 'seconds'] = /^([1-9]\d*)\/s(?:;(.+))?$/.exec(text) ?? []
    const retryAfter = retryAfters.find((known) => known === kind)
    return perSecond === undefined || retryAfter === undefined
      ? undefined
      : { perSecond: Number(perSecond), retryAfter }
  },
}

const clockSkew: Switch<string | number, number> = {
  first: '0',
  settings: ['0', 'a duration such as 2h or -30m'],
  parse(text) {
    if (text === '0') return 0
    const size = parseDuration(text.replace(/^[+-]/, ''))
    return size === undefined || !text.startsWith('-') ? size : -size
  },
}

const defaultTimeout: Switch<string | number, number> = {
  first: '300',
  settings: ['300', 'any number of seconds'],
  parse: (text) => (/^\d+(\.\d+)?$/.test(text) && Number(text) > 0 ? Number(text) : undefined),
}

const table = {
  reclaim: choice('renew', 'refuse', 'ignore'),
  identity: choice('session', 'key', 'owner'),
  lateComplete: choice('refuse-409', 'refuse-403', 'accept'),
  completeTwice: choice('409', '200'),
  releaseUnclaimed: choice('409', '403', '200'),
  maxTimeout: bound('none', ['none', 'cap:N', 'reject:N']),
  maxLimit: bound('cap:100', ['cap:100', 'reject:100']),
  claimedAtOnRenew: choice('moves', 'stays'),
  claimTimes: choice('present', 'seconds', 'absent'),
  defaultTimeout,
  pollRecords: choice('claimed', 'snapshot', 'includesLost'),
  since: choice('exclusive', 'inclusive'),
  claimedVisible: choice('yes', 'no'),
  inboxOrder: choice('oldest', 'newest', 'random'),
  ownClinks: choice('shown', 'hidden'),
  responseText: choice('verbatim', 'trimmed'),
  responseId: choice('present', 'absent'),
  lengthUnit: choice('codepoints', 'utf16', 'bytes'),
  recipientGone: choice('400', '200'),
  rateLimit,
  clockSkew,
  refusals: choice('enveloped', 'bare'),
  groupSlugs: choice('present', 'absent'),
} as const

export type SwitchName = keyof typeof table
/** Settings as people write them. */
export type Switches = { readonly [N in SwitchName]: (typeof table)[N] extends Switch<infer S, unknown> ? S : never }
/** The same as the service uses them: seconds, milliseconds of skew, limits. */
export type Rules = { readonly [N in SwitchName]: NonNullable<ReturnType<(typeof table)[N]['parse']>> }

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- keys of a constant object
export const switchNames = Object.keys(table) as readonly SwitchName[]

function forEach<T>(make: (name: SwitchName) => T): Record<SwitchName, T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has every name
  return Object.fromEntries(switchNames.map((name) => [name, make(name)])) as Record<SwitchName, T>
}

/** For people: what each switch can be set to, its default first. */
export const switchSettings: Readonly<Record<SwitchName, readonly string[]>> = forEach((name) => table[name].settings)

function isSwitch(name: string): name is SwitchName {
  return Object.hasOwn(table, name)
}

interface State {
  readonly settings: Switches
  readonly rules: Rules
}

/** Settings that have been checked, and what they mean. */
function stateOf(texts: Readonly<Record<SwitchName, string>>): State {
  const rules = forEach((name) => table[name].parse(texts[name]))
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each text has been parsed by the row of its name
  return { settings: texts, rules } as State
}

/** The switches as they stand. A change is checked whole before any of it counts. */
export class Switchboard {
  #texts = forEach((name) => String(table[name].first))
  #state = stateOf(this.#texts)

  get settings(): Switches {
    return this.#state.settings
  }

  get rules(): Rules {
    return this.#state.rules
  }

  /** Throws a CodedError that names the switch and the value when either is not known. */
  set(changes: Readonly<Record<string, unknown>>): void {
    const texts = { ...this.#texts }
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) continue
      if (!isSwitch(name)) {
        const known = didYouMean(name, switchNames) || `; known are ${switchNames.join(', ')}`
        throw new CodedError('USAGE', `Unknown switch "${name}"${known}`)
      }
      const text = typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value)
      const takes = table[name].settings
      if (table[name].parse(text) === undefined) {
        const message = `Switch "${name}" cannot be "${text}"${didYouMean(text, takes)}: it takes ${takes.join(' | ')}`
        throw new CodedError('USAGE', message)
      }
      texts[name] = text
    }
    this.#texts = texts
    this.#state = stateOf(texts)
  }
}
