import { runInNewContext } from 'node:vm'
import { describe, expect, it, vi } from 'vitest'
import { makeControl } from '../../src/handlers/handler.ts'
import type { Outcome } from '../../src/runners/outcome.ts'
import { readOutcome } from '../../src/runners/read-outcome.ts'

const returned = (value: unknown): Outcome => readOutcome({ ended: 'returned', value }, [])
const threw = (error: unknown): Outcome => readOutcome({ ended: 'threw', error }, [])

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

  it('takes the control of another copy of the package for what it says', async () => {
    vi.resetModules()
    const other = await import('../../src/handlers/handler.ts')
    expect(other.makeControl).not.toBe(makeControl)
    expect(returned(other.makeControl({ kind: 'reject', reason: 'no' }))).toEqual({ outcome: 'reject', reason: 'no' })
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
    ['a Map inside', { a: [{ found: new Map() }] }, 'class Map at "a[0].found"'],
    ['an Error inside', [{ failure: new RangeError('x') }], 'class RangeError at "[0].failure"'],
    [
      'an Error with a code inside',
      [{ failure: Object.assign(new Error('x'), { code: 1 }) }],
      'class Error at "[0].failure"',
    ],
    ['a promise inside', { result: Promise.resolve(1) }, 'class Promise at "result": in JSON it is empty; await it'],
    ['a Map deep inside', { a: [{}, { 'b c': new Map() }] }, 'class Map at "a[1].b c": in JSON it is empty; return'],
    ['a Set in an array', [[new Set([1])]], 'class Set at "[0][0]": in JSON it is empty; return'],
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
