import { isDeepStrictEqual } from 'node:util'
import { isRecord } from '../base/record.ts'
import { Secret } from '../base/secret.ts'
import { Signal } from '../base/signal.ts'
import type { Config } from './config.ts'
import { TAKES_EFFECT, type Rows, type TakesEffect } from './takes-effect.ts'

/** The dotted keys that have changed, by when that takes effect. */
export type Changes = Record<TakesEffect, string[]>

/**
 * The configuration as it is now. Whoever needs a value reads it when it is used, and keeps none: so a change takes effect for what is done
 * from then on. What a delivery is to keep it reads when it is made.
 */
export class Settings {
  /** `current` is another one. For those that have to act; the others see it when they read it. */
  readonly changed = new Signal<[changes: Changes]>()
  #current: Config

  constructor(first: Config) {
    this.#current = first
  }

  get current(): Config {
    return this.#current
  }

  /** @returns what differs. Keys that take a restart keep their old values in `current`. */
  change(next: Config): Changes {
    const changes: Changes = { 'at-once': [], 'new-deliveries': [], restart: [] }
    this.#current = merge(TAKES_EFFECT, this.#current, next, changes)
    this.changed.say(changes)
    return changes
  }
}

/** What has not changed stays the same object. */
function merge<T extends object>(rows: Rows, now: T, next: T, changes: Changes, at = ''): T {
  const merged = Object.entries(rows).map(([key, row]): [string, unknown] => {
    const [before, after]: unknown[] = [Reflect.get(now, key), Reflect.get(next, key)]
    if (typeof row === 'object' && isRecord(before) && isRecord(after))
      return [key, merge(row, before, after, changes, `${at}${key}.`)]
    if (isDeepStrictEqual(revealed(before), revealed(after))) return [key, before]
    // A group that was switched off, or on.
    const effect = effectOf(row)
    changes[effect].push(at + key)
    return [key, effect === 'restart' ? before : after]
  })
  return Object.freeze({ ...now, ...Object.fromEntries(merged) })
}

function effectOf(row: TakesEffect | Rows): TakesEffect {
  if (typeof row === 'string') return row
  const [first = {}] = Object.values(row)
  return effectOf(first)
}

/** No comparison looks into a secret. */
function revealed(value: unknown): unknown {
  return value instanceof Secret ? value.reveal() : value
}
