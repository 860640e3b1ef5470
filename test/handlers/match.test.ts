import { describe, expect, it } from 'vitest'
import type { MatchRule } from '../../src/config/config.ts'
import { compileMatch } from '../../src/handlers/match.ts'
import { clink } from '../support/handler-files.ts'

const takes = (rule: MatchRule, parts: Parameters<typeof clink>[0] = {}, identity?: string): boolean =>
  compileMatch(rule)(clink(parts), identity) !== undefined

describe('a match', () => {
  it.each<[MatchRule, boolean]>([
    [{}, true],
    [{ group: 'ops' }, true],
    [{ group: 'grp_1' }, true],
    [{ group: 'op' }, false],
    [{ group: 'op?' }, true],
    [{ group: 'o*' }, true],
    [{ group: '*p*s' }, true],
    [{ group: 'o.s' }, false],
    [{ group: ['dev', 'ops'] }, true],
    [{ from: 'usr_1' }, true],
    [{ from: 'usr_?' }, true],
    [{ from: ['x', 'usr_1'] }, true],
    [{ from: { name: 'Ali*' } }, true],
    [{ from: { name: 'ali*' } }, false],
    [{ from: ['x', { name: 'Ali*' }] }, true],
    // Anyone may take any name, and no id is one.
    [{ from: 'Ali*' }, false],
    [{ from: { name: 'usr_1' } }, false],
    [{ group: 'ops', from: 'Bob' }, false],
    [{ content: { prefix: 'hel' } }, true],
    [{ content: { prefix: 'ello' } }, false],
    [{ content: /^HELLO$/i }, true],
    [{ content: { regex: 'l{2}' } }, true],
  ])('%j', (rule, expected) => {
    expect(takes(rule)).toBe(expected)
  })

  it('takes a dot, a bracket and a line end in a pattern for themselves', () => {
    expect(takes({ from: { name: 'a.b[1]*' } }, { sender_name: 'a.b[1]\nc' })).toBe(true)
    expect(takes({ from: { name: 'a.b[1]' } }, { sender_name: 'axb1' })).toBe(false)
  })

  it('knows a group without a slug by its id', () => {
    expect(takes({ group: 'ops' }, { group_slug: null })).toBe(false)
    expect(takes({ group: 'grp_*' }, { group_slug: null })).toBe(true)
  })

  it('for me takes what is addressed to us, once it is known who we are', () => {
    expect(takes({ for: 'me' }, { for: 'agt_1' }, 'agt_1')).toBe(true)
    expect(takes({ for: 'me' }, { for: 'agt_2' }, 'agt_1')).toBe(false)
    expect(takes({ for: 'me' }, {}, 'agt_1')).toBe(false)
    expect(takes({ for: 'me' }, { for: 'agt_1' })).toBe(false)
    expect(takes({ for: 'me' })).toBe(false)
    expect(takes({ for: 'anyone' }, { for: 'agt_2' }, 'agt_1')).toBe(true)
  })

  it('gives the text that matched and the named groups that took part', () => {
    const match = compileMatch({ content: /deploy (?<target>\w+)(?: to (?<place>\w+))?/ })
    expect(match(clink({ content: 'please deploy web now' }), undefined)).toEqual({
      text: 'deploy web',
      groups: { target: 'web' },
    })
    expect(compileMatch({ content: { prefix: 'hel' } })(clink(), undefined)).toEqual({ text: 'hel', groups: {} })
    expect(compileMatch()(clink(), undefined)).toEqual({ text: '', groups: {} })
  })

  it.each(['g', 'y', 'gy'])('carries nothing from clink to clink with the flag %s', (flags) => {
    const content = new RegExp('hello', flags)
    const match = compileMatch({ content })
    const found = ['hello hello', 'hello', 'hello hello'].map((text) => match(clink({ content: text }), undefined))
    expect(found).toEqual(found.map(() => ({ text: 'hello', groups: {} })))
    expect(content.lastIndex).toBe(0)
  })

  it.each([
    ['nested quantifiers', '^(a+)+$'],
    ['alternatives', '^(a|a)*$'],
    ['a look-ahead', '^(?=(a+)+$)'],
    ['a counted group', '(.*a){25}b'],
    ['adjoining quantifiers', 'a*a*a*a*a*a*a*a*b'],
    ['a reference', '^(a*)*\\1b'],
  ])('a pattern with %s that never ends is broken off, and works for the next text (§4)', (_, regex) => {
    const match = compileMatch({ content: { regex } })
    const from = performance.now()
    expect(match(clink({ content: `${'a'.repeat(400)}!` }), undefined)).toBe('timeout')
    expect(performance.now() - from).toBeLessThan(5_000)
    expect(match(clink({ content: 'nothing' }), undefined)).toBe(undefined)
  })

  it('a pattern that could run away finds what it finds otherwise', () => {
    const match = compileMatch({ content: /^(?<verb>\w+) (?<what>\w+)$/g })
    for (const target of ['web', 'api'])
      expect(match(clink({ content: `deploy ${target}` }), undefined)).toEqual({
        text: `deploy ${target}`,
        groups: { verb: 'deploy', what: target },
      })
  })
})
