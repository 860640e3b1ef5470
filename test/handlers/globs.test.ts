import { describe, expect, it } from 'vitest'
import { globs } from '../../src/handlers/globs.ts'

describe('a glob', () => {
  it.each([
    ['ops', ['ops'], ['op', 'opss', 'Ops', '']],
    ['', [''], ['a']],
    ['*', ['', 'a', 'a\nb'], []],
    ['ops-*', ['ops-', 'ops-eu'], ['ops', 'xops-eu']],
    ['*-eu', ['-eu', 'ops-eu', 'a-eu-eu'], ['ops-eu-']],
    ['a?c', ['abc', 'a😀c', 'a\nc'], ['ac', 'abbc']],
    ['a*b*c', ['abc', 'a1b2c', 'abcbc'], ['acb', 'ab']],
    ['**a**', ['a', 'bab'], ['b', '']],
    ['a.c[x]', ['a.c[x]'], ['abcx']],
  ])('%j fits %j and not %j', (pattern, fitting, others) => {
    const fits = globs(pattern)
    expect(fitting.filter((text) => !fits(text))).toEqual([])
    expect(others.filter((text) => fits(text))).toEqual([])
  })

  it('fits where any of several does, and a text that is missing fits none', () => {
    expect(globs(['a', 'b*'])(undefined, null, 'bc')).toBe(true)
    expect(globs(['*'])(undefined, null)).toBe(false)
  })

  it('takes no power of the length of a text', () => {
    expect(globs('*a*a*a*a*a*a*b')('a'.repeat(20_000))).toBe(false)
  })
})
