import { parseDuration } from '../base/duration.ts'
import { mulberry } from './mulberry.ts'

/** Milliseconds, or a duration text such as `2s`. */
export type Delay = number | string

export interface FaultAction {
  readonly delayBefore?: Delay | undefined
  readonly delayAfter?: Delay | undefined
  /** Answers this instead of carrying the request out; with `effect: true`, after carrying it out. */
  readonly status?: number | undefined
  readonly effect?: boolean | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** With `status`: the answer's body; a text is sent as it is, anything else as JSON. */
  readonly body?: unknown
  /** The `error` text of the envelope (status 500 where none is given). */
  readonly error?: string | undefined
  /** Resets the connection, before or after the effect. */
  readonly cut?: 'before' | 'after' | undefined
  /** Never answers, before or after the effect. */
  readonly hang?: 'before' | 'after' | undefined
  /** Sends so many bytes of the real answer's body, then resets the connection. */
  readonly truncate?: number | undefined
  /** Sends this text with the real answer's status. */
  readonly replaceBody?: string | undefined
}

/** Says which requests fail, and how. Numbers count the requests that fit operation, method, path and query, from 1. */
export interface FaultRule {
  readonly operation?: string | undefined
  readonly method?: string | undefined
  /** The path without its query; `*` stands for anything. */
  readonly path?: string | undefined
  /** Parameters that the query must hold, others do not matter. */
  readonly query?: Readonly<Record<string, string>> | undefined
  readonly nth?: number | undefined
  readonly every?: number | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  /** 0 to 1; drawn from `seed` where given, so that a run can be repeated. */
  readonly probability?: number | undefined
  readonly seed?: number | undefined
  /** How often it happens at most. */
  readonly times?: number | undefined
  readonly then: FaultAction
}

export interface FaultHandle {
  readonly id: number
  readonly rule: FaultRule
  /** How often it has happened. */
  readonly hits: number
  remove(): void
}

/** The parts of a request that the rules look at. */
export interface FaultSubject {
  readonly operation?: string | undefined
  readonly method: string
  readonly path: string
}

interface Armed {
  readonly id: number
  readonly rule: FaultRule
  readonly path: RegExp | undefined
  readonly random: () => number
  matches: number
  hits: number
}

/** The rules in force. Every rule counts the requests that fit it; the first one that is due acts. */
export class Faults {
  readonly #armed: Armed[] = []
  readonly #random: () => number
  #count = 0

  constructor(random: () => number) {
    this.#random = random
  }

  add(rule: FaultRule): FaultHandle {
    this.#count += 1
    const random = rule.seed === undefined ? this.#random : mulberry(rule.seed)
    const armed: Armed = { id: this.#count, rule, path: pattern(rule.path), random, matches: 0, hits: 0 }
    this.#armed.push(armed)
    return this.#handle(armed)
  }

  all(): readonly FaultHandle[] {
    return this.#armed.map((armed) => this.#handle(armed))
  }

  clear(): void {
    this.#armed.length = 0
  }

  /** Counts the request, and says what happens to it. */
  next(subject: FaultSubject): FaultAction | undefined {
    let acting: Armed | undefined
    for (const armed of this.#armed) {
      if (!fits(armed, subject)) continue
      armed.matches += 1
      if (acting === undefined && isDue(armed)) acting = armed
    }
    if (acting === undefined) return undefined
    acting.hits += 1
    return acting.rule.then
  }

  #handle(armed: Armed): FaultHandle {
    return {
      id: armed.id,
      rule: armed.rule,
      get hits() {
        return armed.hits
      },
      remove: () => {
        const at = this.#armed.indexOf(armed)
        if (at !== -1) this.#armed.splice(at, 1)
      },
    }
  }
}

function pattern(path: string | undefined): RegExp | undefined {
  if (path === undefined) return undefined
  return new RegExp(`^${path.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '.*')}$`)
}

function fits({ rule, path }: Armed, subject: FaultSubject): boolean {
  if (rule.operation !== undefined && rule.operation !== subject.operation) return false
  if (rule.method !== undefined && rule.method.toUpperCase() !== subject.method) return false
  const [place = '', query] = subject.path.split('?')
  const given = new URLSearchParams(query)
  if (Object.entries(rule.query ?? {}).some(([name, value]) => given.get(name) !== value)) return false
  return path === undefined || path.test(place)
}

function isDue({ rule, matches, hits, random }: Armed): boolean {
  if (rule.times !== undefined && hits >= rule.times) return false
  if (rule.nth !== undefined && matches !== rule.nth) return false
  if (rule.every !== undefined && matches % rule.every !== 0) return false
  if (matches < (rule.from ?? 1) || matches > (rule.to ?? Infinity)) return false
  return rule.probability === undefined || random() < rule.probability
}

/** Milliseconds of a delay. */
export function delayMs(delay: Delay | undefined): number {
  return typeof delay === 'string' ? (parseDuration(delay) ?? 0) : (delay ?? 0)
}
