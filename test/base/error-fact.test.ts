import { expect, it } from 'vitest'
import { cutText, LONGEST } from '../../src/base/cut-text.ts'
import { errorFact, errorOf } from '../../src/base/error-fact.ts'

it('a text that is too long is cut, says so, and stays well formed', () => {
  expect(cutText('short', 100)).toBe('short')
  const cut = cutText('\u{1F980}'.repeat(100), 71)
  expect(cut).toMatch(/^\u{1F980}+ \[…, cut: 200 characters in all\]$/u)
  expect([cut.isWellFormed(), cut.length <= 71]).toEqual([true, true])
})

it('an error keeps its name, message, code, cause and place', () => {
  const error = Object.assign(new TypeError('outer', { cause: new Error('inner') }), { code: 'E_ODD', secret: 'x' })
  const fact = errorFact(error)
  expect(fact).toMatchObject({ name: 'TypeError', message: 'outer', code: 'E_ODD', cause: { message: 'inner' } })
  expect(fact.stack).toBe(error.stack)
  const shown = errorOf(fact)
  expect(shown).toMatchObject({ name: 'TypeError', message: 'outer', code: 'E_ODD', cause: { message: 'inner' } })
  expect([shown.stack, Object.keys(shown)]).toEqual([error.stack, ['code']])
  expect(Object.keys(fact)).not.toContain('secret')
})

it('an error, its causes and those that it holds have 16 KiB together, and it says that it is cut (design: bounds)', () => {
  const long = 'x'.repeat(1_000_000)
  const many = new AggregateError(
    Array.from({ length: 1_000 }, () => new Error(long)),
    'many',
    { cause: new Error(long) },
  )
  const size = (error: unknown): number =>
    error instanceof Error
      ? error.message.length +
        size(error.cause) +
        (error instanceof AggregateError ? error.errors.reduce((sum: number, one) => sum + size(one), 0) : 0)
      : 0
  expect(size(errorOf(errorFact(many)))).toBeLessThan(LONGEST.error + 1_000)
  const { message, stack = '' } = errorFact(new Error(long))
  expect(message).toMatch(/x \[…, cut: 1000000 characters in all\]$/)
  expect([message.length, stack.length < LONGEST.error + 5_000]).toEqual([LONGEST.error, true])
})

const cyclic: { cause?: unknown } = new Error('it causes itself')
cyclic.cause = cyclic
const { proxy: revoked, revoke } = Proxy.revocable(new Error('gone'), {})
revoke()
const throwing = (name: string): Error =>
  Object.defineProperty(new Error('odd'), name, {
    get: () => {
      throw new Error('no')
    },
  })

const odd: readonly (readonly [string, unknown])[] = [
  ['that causes itself', cyclic],
  ['that is a revoked proxy', revoked],
  ...['message', 'name', 'stack', 'cause', 'code', 'errors'].map(
    (name) => [`whose ${name} throws`, throwing(name)] as const,
  ),
  ['that is no error', { toString: 7 }],
  ['that is a symbol', Symbol('odd')],
  ['whose cause is a bigint', new Error('odd', { cause: 7n })],
]

it.each(odd)('an error %s becomes one that can be read, copied and written', (_, thrown) => {
  const fact = errorFact(thrown)
  expect(fact.message).toEqual(expect.any(String))
  expect(JSON.parse(JSON.stringify(fact))).toEqual(fact)
})
