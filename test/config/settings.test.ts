import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import type { Config } from '../../src/config/config.ts'
import { relationProblems } from '../../src/config/relations.ts'
import { knownPaths } from '../../src/config/schema-paths.ts'
import { Settings, type Changes } from '../../src/config/settings.ts'
import { TAKES_EFFECT, type Rows } from '../../src/config/takes-effect.ts'
import { makeConfig, type Settings as Given } from '../support/settings.ts'

const URL_OF = 'http://127.0.0.1:1'
const OPERATORS = new URL('../../docs/reliability.md', import.meta.url)
const WORDS: Readonly<Record<string, keyof Changes>> = {
  'At once': 'at-once',
  'For new deliveries': 'new-deliveries',
  'At a restart': 'restart',
}

describe('a table says of each key when a change of it takes effect', () => {
  it('has a row for every key of the schema, and no other', () => {
    const paths = knownPaths().map((path) => path.join('.'))
    const keys = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}.`)))
    expect(keys.length).toBeGreaterThan(40)
    const told = rowsOf(TAKES_EFFECT).map(([key]) => key)
    expect(told, 'received: src/config/takes-effect.ts; expected: src/config/schema.ts, in its order').toEqual(keys)
  })

  it('is what docs/reliability.md says', async () => {
    const text = await readFile(OPERATORS, 'utf8')
    for (const [words, effect] of Object.entries(WORDS)) {
      const [, list = ''] = RegExp(`^- ${words}: (.*?)\\.$`, 'ms').exec(text) ?? []
      const keys = rowsOf(TAKES_EFFECT).flatMap(([key, when]) => (when === effect ? [`\`${key}\``] : []))
      expect(list.split(/,\s+/), `${words}: ${keys.join(', ')}`).toEqual(keys)
    }
  })
})

describe('settings that change', () => {
  it('switch a group off, and on again', () => {
    const keep = { perClink: 1_024, for: 1_000, total: 1_048_576 }
    const settings = new Settings(makeConfig(URL_OF, { log: { keep } }))
    expect(settings.change(makeConfig(URL_OF, { log: { keep: null } }))['at-once']).toEqual(['log.keep'])
    expect(settings.current.log.keep).toBeNull()
    expect(settings.change(makeConfig(URL_OF, { log: { keep } }))['at-once']).toEqual(['log.keep'])
    expect(settings.current.log.keep).toEqual(keep)
  })

  it('say which keys differ, by when that takes effect', () => {
    const settings = new Settings(makeConfig(URL_OF))
    const heard: Changes[] = []
    settings.changed.on((changes) => heard.push(changes))
    const changes = settings.change({
      ...makeConfig('http://127.0.0.1:2', {
        poll: { interval: 30, warm: { interval: 20, for: 9 } },
        retry: { attempts: 2, crashes: 9 },
      }),
      routes: [{ name: 'new', use: '/new.ts', with: {} }],
    })
    expect(changes).toEqual({
      'at-once': ['poll.interval', 'poll.warm.for'],
      'new-deliveries': ['routes', 'retry.attempts'],
      restart: ['clink.url', 'retry.crashes'],
    })
    expect(heard).toEqual([changes])
    const { clink, poll, retry, routes } = settings.current
    expect([poll.interval, poll.warm.for, retry.attempts, routes.length]).toEqual([30, 9, 2, 1])
    expect([clink.url, retry.crashes], 'a restart is needed').toEqual([URL_OF, 3])
  })

  it('keep what takes a restart and say it again, until it is as it was', () => {
    const settings = new Settings(makeConfig(URL_OF))
    for (let n = 0; n < 2; n += 1)
      expect(settings.change(makeConfig(URL_OF, { state: { sync: 'full' } })).restart).toEqual(['state.sync'])
    expect(settings.current.state.sync).toBe('normal')
    expect(settings.change(makeConfig(URL_OF))).toEqual({ 'at-once': [], 'new-deliveries': [], restart: [] })
  })

  it('never become a configuration that no file may hold: keys that bind each other change together', () => {
    const sections: readonly Given[] = [
      { inbox: { claim: 'batch' } },
      { inbox: { claim: 'select', groups: ['ops'], ignore: ['bob'], loopLimit: { count: 30, window: 600_000 } } },
      { inbox: { for: 'me', maxAge: 60_000 } },
      {
        poll: { interval: 1, maxInterval: 2 },
        claim: { timeout: 1, maxHold: 2 },
        retry: { backoff: 1, maxBackoff: 2 },
      },
      {
        poll: { interval: 8, maxInterval: 9 },
        claim: { timeout: 8, maxHold: 9 },
        retry: { backoff: 8, maxBackoff: 9 },
      },
      { shutdown: { timeout: 2, drain: 1 } },
      { shutdown: { timeout: 9, drain: 8 } },
    ]
    const all = sections.map((one) => makeConfig(URL_OF, one))
    expect(all.map(problemsOf)).toEqual(all.map(() => []))
    for (const [from, to] of all.flatMap((one) => all.map((other) => [one, other] as const))) {
      const settings = new Settings(from)
      settings.change(to)
      expect(problemsOf(settings.current)).toEqual([])
    }
  })

  it('tell one key of the service from another, and show neither (P13)', () => {
    const settings = new Settings(makeConfig(URL_OF, { clink: { key: new Secret('sk_live_one') } }))
    const changes = settings.change(makeConfig(URL_OF, { clink: { key: new Secret('sk_live_two') } }))
    expect(changes.restart).toEqual(['clink.key'])
    expect(settings.current.clink.key?.reveal()).toBe('sk_live_one')
    expect(JSON.stringify([changes, settings.current])).not.toContain('sk_live')
  })
})

function problemsOf({ claim, inbox, poll, retry, shutdown }: Config): readonly string[] {
  const sections = {
    claim,
    poll,
    retry,
    shutdown,
    inbox: { ...inbox, groups: [...inbox.groups], ignore: [...inbox.ignore] },
  }
  return relationProblems(sections).map(({ message, path }) => `${path.join('.')} ${message}`)
}

/** The table by dotted keys. */
function rowsOf(rows: Rows, at = ''): readonly (readonly [string, keyof Changes])[] {
  return Object.entries(rows).flatMap(([key, row]) =>
    typeof row === 'string' ? [[`${at}${key}`, row] as const] : rowsOf(row, `${at}${key}.`),
  )
}
