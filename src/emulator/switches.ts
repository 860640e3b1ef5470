import { CodedError } from '../base/coded-error.ts'
import { parseDuration } from '../base/duration.ts'
import { didYouMean } from './suggest.ts'

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
export interface RateLimit {
  readonly perSecond: number
  readonly retryAfter: 'seconds' | 'date' | 'absent'
}
type RateSetting = 'none' | `${number}/s` | `${number}/s;${RateLimit['retryAfter']}`

const rateLimit: Switch<RateSetting, RateLimit> = {
  first: 'none',
  settings: ['none', 'N/s', 'N/s;seconds', 'N/s;date', 'N/s;absent'],
  parse(text) {
    if (text === 'none') return { perSecond: Infinity, retryAfter: 'seconds' }
    const [whole, perSecond, retryAfter = 'seconds'] = /^([1-9]\d*)\/s(?:;(seconds|date|absent))?$/.exec(text) ?? []
    if (whole === undefined) return undefined
    return { perSecond: Number(perSecond), retryAfter: retryAfter as RateLimit['retryAfter'] }
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
} as const

export type SwitchName = keyof typeof table
/** Settings as people write them. */
export type Switches = { readonly [N in SwitchName]: (typeof table)[N] extends Switch<infer S, unknown> ? S : never }
/** The same as the service uses them: seconds, milliseconds of skew, limits. */
export type Rules = { readonly [N in SwitchName]: NonNullable<ReturnType<(typeof table)[N]['parse']>> }

export const switchNames = Object.keys(table) as readonly SwitchName[]

/** For people: what each switch can be set to, its default first. */
export const switchSettings: Readonly<Record<SwitchName, readonly string[]>> = Object.fromEntries(
  switchNames.map((name) => [name, table[name].settings]),
) as Record<SwitchName, readonly string[]>

function isSwitch(name: string): name is SwitchName {
  return Object.hasOwn(table, name)
}

/** The switches as they stand. A change is checked whole before any of it counts. */
export class Switchboard {
  #settings: Switches
  #rules: Rules

  constructor() {
    const defaults = Object.fromEntries(switchNames.map((name) => [name, table[name].first]))
    this.#settings = defaults as Switches
    this.#rules = Object.fromEntries(
      switchNames.map((name) => [name, table[name].parse(String(defaults[name]))]),
    ) as Rules
  }

  get settings(): Switches {
    return this.#settings
  }

  get rules(): Rules {
    return this.#rules
  }

  /** Throws a CodedError that names the switch and the value when either is not known. */
  set(changes: Readonly<Record<string, unknown>>): void {
    const settings: Record<string, unknown> = { ...this.#settings }
    const rules: Record<string, unknown> = { ...this.#rules }
    for (const [name, value] of Object.entries(changes)) {
      if (value === undefined) continue
      if (!isSwitch(name)) {
        const known = didYouMean(name, switchNames) || `; known are ${switchNames.join(', ')}`
        throw new CodedError('USAGE', `Unknown switch "${name}"${known}`)
      }
      const text = typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value)
      const rule = table[name].parse(text)
      if (rule === undefined) {
        const takes = table[name].settings
        const message = `Switch "${name}" cannot be "${text}"${didYouMean(text, takes)}: it takes ${takes.join(' | ')}`
        throw new CodedError('USAGE', message)
      }
      settings[name] = text
      rules[name] = rule
    }
    this.#settings = settings as Switches
    this.#rules = rules as Rules
  }
}
