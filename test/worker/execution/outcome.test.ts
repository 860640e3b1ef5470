import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { makeControl } from '../../../src/handlers/handler.ts'
import {
  decide,
  decideOutlived,
  readOutcome,
  type HandlerOutcome,
  type OutcomePolicy,
} from '../../../src/worker/execution/outcome.ts'

const retry = { attempts: 3, backoff: 5_000, maxBackoff: 60_000, cooldown: 3_600_000, onExhausted: 'release' as const }
const policy: OutcomePolicy = { retry, maxHold: 100_000 }
const returned = (value: unknown): HandlerOutcome => readOutcome({ ended: 'returned', value }, [])
const threw = (error: unknown): HandlerOutcome => readOutcome({ ended: 'threw', error }, [])

describe('what a handler returned or threw is read as an outcome', () => {
  it.each([
    ['nothing', undefined, { outcome: 'done' }],
    ['null', null, { outcome: 'done' }],
    ['an empty text', '', { outcome: 'done' }],
    ['a text', 'hello', { outcome: 'done', response: 'hello' }],
    ['a number', 42, { outcome: 'done', response: '42' }],
    ['false', false, { outcome: 'done', response: 'false' }],
    ['an object', { a: [1] }, { outcome: 'done', response: '{"a":[1]}' }],
    ['{ response }', { response: 'hi' }, { outcome: 'done', response: 'hi' }],
    ['{ response } that is not text', { response: { n: 1 } }, { outcome: 'done', response: '{"n":1}' }],
    ['{ response } that is nothing', { response: undefined }, { outcome: 'done' }],
    ['release', makeControl({ kind: 'release', reason: 'busy' }), { outcome: 'release', reason: 'busy' }],
    ['retryAfter', makeControl({ kind: 'retry', after: 9_000 }), { outcome: 'retry', after: 9_000 }],
    ['reject', makeControl({ kind: 'reject', reason: 'no' }), { outcome: 'reject', reason: 'no' }],
  ])('%s', (_, value, outcome) => {
    expect(returned(value)).toEqual(outcome)
  })

  it('takes a thrown control for what it says', () => {
    expect(threw(makeControl({ kind: 'reject', reason: 'no' }))).toEqual({ outcome: 'reject', reason: 'no' })
  })

  it.each([
    ['an Error', new Error('broken'), 'broken'],
    ['a text', 'broken', 'broken'],
    ['nothing', undefined, 'undefined'],
  ])('takes %s that was thrown for a failure', (_, thrown, message) => {
    const outcome = threw(thrown)
    expect(outcome).toMatchObject({ outcome: 'failed', error: { message } })
  })

  it.each([
    ['whose message is an object', Object.assign(new Error('x'), { message: { code: 7 } }), '{ code: 7 }'],
    ['without a message', Object.assign(new Error('x'), { message: undefined }), 'undefined'],
    ['that is no error and no text', Object.create(null), '[Object: null prototype] {}'],
    [
      'that throws when it is looked at',
      new Proxy(new Error('x'), {
        get: () => {
          throw new Error('no')
        },
      }),
      expect.any(String),
    ],
  ])('takes what is thrown %s for a failure with a text (P14)', (_, thrown, message) => {
    expect(threw(thrown)).toMatchObject({ outcome: 'failed', error: { message } })
  })

  it.each([
    ['reject', new Error('bad input'), { outcome: 'reject', reason: 'bad input' }],
    ['reject', { code: 7 }, { outcome: 'reject', reason: '{ code: 7 }' }],
    ['reject', null, { outcome: 'reject', reason: 'rejected by the handler' }],
    ['release', 7, { outcome: 'release', reason: '7' }],
  ] as const)('makes a text of the reason of a %s that is %s', (kind, reason, outcome) => {
    // Handlers in JavaScript have no compiler.
    expect(returned(makeControl({ kind, reason: reason as unknown as string }))).toEqual(outcome)
  })

  it('fails on what throws when it is read (P14)', () => {
    const value = {
      get response() {
        throw new Error('not loaded')
      },
    }
    expect(returned(value)).toMatchObject({
      outcome: 'failed',
      error: { message: expect.stringContaining('not loaded') },
    })
  })

  it('fails on what cannot be sent, and says so', () => {
    const cyclic: Record<string, unknown> = {}
    cyclic['self'] = cyclic
    expect(returned(cyclic)).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining('JSON') } })
    expect(returned(() => 1)).toMatchObject({
      outcome: 'failed',
      error: { message: expect.stringContaining('function') },
    })
    expect(returned(10n)).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining('JSON') } })
  })

  it.each([
    ['itself', new Error('broken')],
    ['as the response', { response: new TypeError('broken') }],
    ['with JSON of its own', Object.assign(new Error('broken'), { toJSON: () => ({}) })],
    ['of another realm', runInNewContext('new Error("broken")') as unknown],
  ])('an Error that is returned counts as thrown: %s', (_, value) => {
    expect(returned(value)).toMatchObject({ outcome: 'failed', error: { message: 'broken' } })
  })

  it.each([
    ['a Map', new Map([['a', 1]]), 'an object of the class Map: in JSON it is empty; return Object.fromEntries(map)'],
    ['a Set', new Set([1]), 'an object of the class Set: in JSON it is empty; return [...set]'],
    ['a Map as the response', { response: new Map() }, 'class Map'],
    ['a Map inside', { a: [{ found: new Map() }] }, 'class Map at "found"'],
    ['an Error inside', [{ failure: new RangeError('x') }], 'class RangeError at "failure"'],
    [
      'an Error with a code inside',
      [{ failure: Object.assign(new Error('x'), { code: 1 }) }],
      'class Error at "failure"',
    ],
    ['a promise inside', { result: Promise.resolve(1) }, 'class Promise at "result": in JSON it is empty; await it'],
    ['an answer of fetch', new Response('hello'), 'class Response'],
    ['NaN', Number.NaN, 'NaN: in JSON it is null'],
    ['Infinity as the response', { response: Infinity }, 'Infinity: in JSON it is null'],
    ['a date that is none', new Date(Number.NaN), 'class Date: in JSON it is null'],
  ])('fails on what JSON would empty, and names it: %s', (_, value, message) => {
    expect(returned(value)).toMatchObject({ outcome: 'failed', error: { message: expect.stringContaining(message) } })
  })

  it.each([
    ['an empty object', {}, '{}'],
    ['an empty object of another realm', runInNewContext('({})') as unknown, '{}'],
    ['an object without a prototype', Object.create(null), '{}'],
    ['an empty list', [], '[]'],
    [
      'an object of a class',
      new (class Point {
        readonly x = 1
      })(),
      '{"x":1}',
    ],
    ['what says itself how it reads', { list: Object.assign(new Set([1]), { toJSON: () => [1] }) }, '{"list":[1]}'],
    ['numbers that JSON does not know, inside', { mean: Number.NaN }, '{"mean":null}'],
    ['a boxed number', Object(5), '5'],
  ])('sends as JSON %s', (_, value, response) => {
    expect(returned(value)).toEqual({ outcome: 'done', response })
  })

  it('says that something was thrown, not returned, where that cannot be read (P14)', () => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    expect(threw(proxy)).toMatchObject({
      error: { message: expect.stringMatching(/^what the handler threw cannot be read/) },
    })
    expect(returned(proxy)).toMatchObject({
      error: { message: expect.stringMatching(/^what the handler returned cannot be read/) },
    })
  })

  it('fails when a control was made and neither returned nor thrown', () => {
    const outcome = readOutcome({ ended: 'returned', value: 'fine' }, [makeControl({ kind: 'retry', after: 1 })])
    expect(outcome).toMatchObject({
      outcome: 'failed',
      error: { message: expect.stringContaining('return ctx.retryAfter(…)') },
    })
  })
})

describe('outcome, attempt and policy decide what follows', () => {
  const failed: HandlerOutcome = { outcome: 'failed', error: new Error('broken') }
  const state = { clinkId: 'msg_1', attempt: 1, heldFor: 0 }
  const half = (): number => 0.5
  const follow = (outcome: HandlerOutcome, changed: Partial<typeof state> = {}, rules = policy): unknown =>
    decide(outcome, { ...state, ...changed }, rules, half)

  it.each<[string, HandlerOutcome, Partial<typeof state>, unknown]>([
    ['done completes', { outcome: 'done' }, {}, { do: 'complete' }],
    [
      'done with a response completes with it',
      { outcome: 'done', response: 'hi' },
      {},
      { do: 'complete', response: 'hi' },
    ],
    [
      'release gives back and cools down',
      { outcome: 'release', reason: 'busy' },
      {},
      { do: 'release', why: 'handler', reason: 'busy', cooldown: 3_600_000, countsAttempt: true },
    ],
    [
      'retry holds and costs no attempt',
      { outcome: 'retry', after: 9_000, reason: 'later' },
      {},
      { do: 'hold', wait: 9_000, why: 'later', countsAttempt: false },
    ],
    [
      'retry waits a second at least',
      { outcome: 'retry', after: 1 },
      {},
      { do: 'hold', wait: 1_000, why: 'the handler asked to wait', countsAttempt: false },
    ],
    [
      'retry past the longest hold gives back until then',
      { outcome: 'retry', after: 9_000 },
      { heldFor: 95_000 },
      {
        do: 'release',
        why: 'hold-too-long',
        reason: 'the handler asked to wait',
        cooldown: 9_000,
        countsAttempt: false,
      },
    ],
    ['a failure holds for the backoff', failed, {}, { do: 'hold', wait: 3_750, why: 'broken', countsAttempt: true }],
    [
      'a second failure holds for twice the backoff',
      failed,
      { attempt: 2 },
      { do: 'hold', wait: 7_500, why: 'broken', countsAttempt: true },
    ],
    [
      'the last failure buries',
      failed,
      { attempt: 3 },
      {
        do: 'bury',
        why: 'exhausted',
        reason: 'broken',
        tell: 'release',
        notice: 'This could not be done (handler-failed, msg_1).',
      },
    ],
    [
      'reject buries at once',
      { outcome: 'reject', reason: 'no such target' },
      {},
      {
        do: 'bury',
        why: 'rejected',
        reason: 'no such target',
        tell: 'release',
        notice: 'This could not be done: no such target',
      },
    ],
  ])('%s', (_, outcome, changed, decision) => {
    expect(follow(outcome, changed)).toEqual(decision)
  })

  it('backs off no longer than maxBackoff', () => {
    const many = { ...policy, retry: { ...retry, attempts: 99 } }
    expect(follow(failed, { attempt: 50 }, many)).toMatchObject({ do: 'hold', wait: 45_000 })
  })

  it('with one attempt, completes what works and gives back what fails', () => {
    const plain = { ...policy, retry: { ...retry, attempts: 1 } }
    expect(follow({ outcome: 'done' }, {}, plain)).toMatchObject({ do: 'complete' })
    expect(follow(failed, {}, plain)).toMatchObject({ do: 'bury', tell: 'release' })
  })

  it('tells the sender where onExhausted is complete, and never the text of an error', () => {
    const telling = { ...policy, retry: { ...retry, attempts: 1, onExhausted: 'complete' as const } }
    const decision = follow({ outcome: 'failed', error: new Error('password is hunter2') }, {}, telling)
    expect(decision).toMatchObject({ do: 'bury', tell: 'complete', notice: expect.not.stringContaining('hunter2') })
  })
})

describe('what follows, before a start, from claims that were outlived', () => {
  const known = { clinkId: 'msg_1', timesAbsent: false }

  it('nothing, until there are as many as attempts', () => {
    expect([0, 1, 2].map((outlived) => decideOutlived(outlived, known, policy))).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('a dead letter then, that says what to do', () => {
    expect(decideOutlived(3, known, policy)).toEqual({
      do: 'bury',
      why: 'exhausted',
      reason:
        'its claim ran out 3 times while the handler ran, and the service does not renew claims: make the handler shorter',
      tell: 'release',
      notice: 'This could not be done (claim-ran-out, msg_1).',
    })
  })

  it('says that renewals may be unseen where the answers carry no times', () => {
    expect(decideOutlived(4, { ...known, timesAbsent: true }, policy)).toMatchObject({
      reason: expect.stringMatching(/^its claim ran out 4 times .*nothing shows .*claim\.trustRenewals/),
    })
  })

  it('tells the sender where onExhausted is complete', () => {
    const telling = { ...policy, retry: { ...retry, onExhausted: 'complete' as const } }
    expect(decideOutlived(3, known, telling)).toMatchObject({ do: 'bury', tell: 'complete' })
  })
})
