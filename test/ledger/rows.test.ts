import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { rows, step } from '../../src/ledger/rows.ts'
import { clink } from '../support/sample-records.ts'

const attempts = { count: 2, errors: ['it failed'], crashes: 1, at: 1_000 }
const results = { content: 'hello', leases: 1, at: 1_000 }
const letter = { clink, route: 'work', attempts: 3, reason: 'why', errors: ['why'], tell: 'release', at: 1_000 }
const claim = { clink, route: 'work', running: true, releasing: false, boot: 'boot-1', sent: 1, end: 2 }
const late = { clink, route: 'work', attempt: 1, why: 'late', outcome: 'done', at: 1_000 }
const group = { id: 7, started: '1234', run: 'run-1' }

interface Kind {
  readonly schema: z.ZodType
  /** What each row has. */
  readonly least: object
  /** What it may have. */
  readonly more: object
  /** Of what stands inside of another: that one with it. */
  readonly at?: (part: object) => object
}

const kinds = {
  attempts: {
    schema: rows.attempts,
    least: attempts,
    more: {
      excused: 1,
      isTakenBack: true,
      released: 1,
      outlived: 1,
      suspect: false,
      letter: 900,
      stoodBack: true,
      retried: true,
    },
  },
  results: {
    schema: rows.results,
    least: results,
    more: { response: 'x', failedAt: 900, isLate: true, isSent: true },
  },
  letters: {
    schema: rows.letters,
    least: letter,
    more: { discarded: true, seen: 2, notice: 'x', untaken: { leases: 1, failedAt: 2 }, rerun: { step: 'due' } },
  },
  cooling: { schema: rows.cooling, least: { at: 1, for: 2 }, more: {} },
  'claims in hand': { schema: rows.claims, least: { claim }, more: { attempts, result: results } },
  'parked claims': {
    schema: rows.parked,
    least: { clink, why: 'cooling', boot: 'boot-1', sent: 1, end: 2 },
    more: { key: 'print', margin: 1, wall: 2, serverEnd: 3, isUnknown: true, due: { uptime: 4, wall: 5 } },
  },
  late: { schema: rows.late, least: late, more: { response: 'x', reason: 'why' } },
  audit: {
    schema: rows.audit,
    least: { at: 1, act: 'pause', by: 'ann' },
    more: { about: 'a route', note: 'why', outcome: '3 of them' },
  },
  programs: { schema: rows.programs, least: { clinkId: 'a', boot: 'boot-1', group }, more: {} },
  steps: {
    schema: step,
    least: { is: 'step', name: 'plan', content: 'print', value: '1' },
    more: { at: 1_000 },
  },
  'what a fleet was not told': {
    schema: rows.untold,
    least: {
      keys: ['notice'],
      was: [
        [null, 1],
        [{ step: 'due' }, 2],
      ],
    },
    more: { born: 'x' },
  },
} satisfies Readonly<Record<string, Kind>>

/** What stands inside of others. */
const parts = {
  'a clink': { schema: rows.letters, least: clink, more: {}, at: (part: object) => ({ ...letter, clink: part }) },
  'a rerun': {
    schema: rows.letters,
    least: { step: 'ready' },
    more: { response: 'x', notBefore: 1, wait: 1, by: 'one' },
    at: (rerun: object) => ({ ...letter, rerun }),
  },
  'a notice that was not taken': {
    schema: rows.letters,
    least: { leases: 1, failedAt: 2 },
    more: {},
    at: (untaken: object) => ({ ...letter, untaken }),
  },
  'a claim': {
    schema: rows.claims,
    least: claim,
    more: {
      key: 'print',
      margin: 1,
      wall: 2,
      serverEnd: 3,
      isUnknown: true,
      due: { uptime: 4, wall: 5 },
      asleep: true,
    },
    at: (part: object) => ({ claim: part }),
  },
  'when a held clink is due': {
    schema: rows.claims,
    least: { uptime: 1, wall: 2 },
    more: {},
    at: (due: object) => ({ claim: { ...claim, due } }),
  },
  'the processes of a program': {
    schema: rows.programs,
    least: group,
    more: {},
    at: (part: object) => ({ clinkId: 'a', boot: 'boot-1', group: part }),
  },
} satisfies Readonly<Record<string, Kind>>

/** How one is read, and what it is then. */
const reading = ({ at = (part) => part, schema }: Kind) => ({
  read: (part: object): unknown => schema.safeParse(at(part)).data,
  kept: at,
})

const all = Object.entries<Kind>({ ...kinds, ...parts }).map(([name, kind]) => ({ name, ...kind, ...reading(kind) }))

describe('what is remembered comes back whole', () => {
  it.each(all)('$name, with all that it may have and without', ({ kept, least, more, read }) => {
    expect(read(least)).toStrictEqual(kept(least))
    expect(read({ ...least, ...more })).toStrictEqual(kept({ ...least, ...more }))
  })

  it.each(all)('$name, and nothing that lacks a part of it or has another thing there', ({ least, more, read }) => {
    for (const key of Object.keys(least)) {
      const { [key]: _, ...rest } = least as Record<string, unknown>
      expect(read(rest), `without ${key}`).toBeUndefined()
    }
    for (const key of Object.keys({ ...least, ...more }))
      expect(read({ ...least, ...more, [key]: { strange: true } }), `with a strange ${key}`).toBeUndefined()
  })

  it('with each thing that a clink has beside what the worker needs', () => {
    const row = { ...letter, clink: { ...clink, group_slug: 'ops', something: { new: true } } }
    expect(rows.letters.safeParse(row).data).toStrictEqual(row)
  })

  it('also what only marks: it is there or not, and never false', () => {
    for (const mark of ['isTakenBack', 'stoodBack', 'retried'])
      expect(rows.attempts.safeParse({ ...attempts, [mark]: false }).success).toBe(false)
    for (const mark of ['isLate', 'isSent'])
      expect(rows.results.safeParse({ ...results, [mark]: false }).success).toBe(false)
    expect(rows.letters.safeParse({ ...letter, discarded: false }).success).toBe(false)
    for (const mark of ['isUnknown', 'asleep'])
      expect(rows.claims.safeParse({ claim: { ...claim, [mark]: false } }).success).toBe(false)
  })
})

it.each<[string, readonly string[], Kind, string]>([
  ['the steps of a rerun', ['due', 'running', 'ready', 'sending', 'unknown', 'refused'], parts['a rerun'], 'step'],
  ['what Clink is told of a dead letter', ['release', 'complete'], kinds.letters, 'tell'],
  ['why a result is late', ['late', 'elsewhere'], kinds.late, 'why'],
  ['what came late', ['done', 'release', 'retry', 'reject'], kinds.late, 'outcome'],
  [
    'what operators do',
    ['pause', 'resume', 'drain', 'stop', 'cancel', 'reload', 'log-level', 'retry', 'discard'],
    kinds.audit,
    'act',
  ],
  ['what is kept by a name', ['step', 'sleep', 'reply'], kinds.steps, 'is'],
])('%s are %o', (_, values, kind, key) => {
  const { read } = reading(kind)
  const isTaken = (value: string): boolean => read({ ...kind.least, [key]: value }) !== undefined
  expect(values.filter((value) => !isTaken(value))).toEqual([])
  expect(['', 'anything else'].filter(isTaken)).toEqual([])
})

it('what versions before have written otherwise is read: only the end of a cooling, and a step without its time', () => {
  expect(rows.cooling.parse(1_000)).toEqual({ at: 1_000, for: 7 * 86_400_000 })
  const old = { is: 'step', name: 'plan', content: 'print', value: '1', at: null } as const
  expect(step.parse(old)).toEqual(old)
})

it('what is only a number or a text is that, and no other number says what a fleet was not told', () => {
  expect([rows.own.parse(1_000), rows.facts.parse('x'), rows.untold.parse(1), rows.untold.parse(2)]).toEqual([
    1_000,
    'x',
    1,
    2,
  ])
  expect([rows.own, rows.facts, rows.untold].map((schema) => schema.safeParse(true).success)).toEqual([
    false,
    false,
    false,
  ])
  expect(rows.untold.safeParse(3).success).toBe(false)
})
