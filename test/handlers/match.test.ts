import { execFile } from 'node:child_process'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { MatchRule } from '../../src/config/config.ts'
import { compileMatch as compile } from '../../src/handlers/match.ts'
import { Patterns } from '../../src/handlers/patterns.ts'
import { clink } from '../support/handler-files.ts'

const patterns = new Patterns()
const compileMatch = (rule?: MatchRule): ReturnType<typeof compile> => compile(rule, patterns)

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

  it('gives the text that matched and the named groups that took part', async () => {
    const match = compileMatch({ content: /deploy (?<target>\w+)(?: to (?<place>\w+))?/ })
    expect(await match(clink({ content: 'please deploy web now' }), undefined)).toEqual({
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
    ['a counted group with a look-ahead', '^(?=(.*a){25})(?=(a+)+b)'],
  ])('a pattern with %s that never ends is broken off, and works for the next text (§4)', async (_, regex) => {
    const match = compileMatch({ content: { regex } })
    const [late, next] = [`${'a'.repeat(400)}!`, 'nothing'].map((content) => match(clink({ content }), undefined))
    expect(await late).toMatchObject({ fault: 'match-timeout' })
    expect(await next).toBe(undefined)
  })

  it('a pattern that never ends does not hold the event loop (§4)', async () => {
    const delay = monitorEventLoopDelay({ resolution: 5 })
    delay.enable()
    const match = compileMatch({ content: { regex: '^(a+)+$' } })
    const texts = [`${'a'.repeat(400)}!`, ...Array.from({ length: 100 }, () => 'aaa')]
    const found = await Promise.all(texts.map(async (content) => await match(clink({ content }), undefined)))
    delay.disable()
    expect(found.map((one) => one !== undefined && 'fault' in one)).toEqual(texts.map((_, index) => index === 0))
    expect(delay.max / 1e6).toBeLessThan(300)
  })

  it('a text longer than any clink is tried beside the loop, however plain the pattern (§4)', () => {
    const match = compileMatch({ content: /a+b/ })
    expect(match(clink({ content: 'a'.repeat(4_096) }), undefined)).toBe(undefined)
    expect(match(clink({ content: 'a'.repeat(4_097) }), undefined)).toBeInstanceOf(Promise)
  })

  it('a process ends though it has tried patterns, when all of them are answered (§4)', async () => {
    const module = new URL('../../src/handlers/patterns.ts', import.meta.url).href
    const code = `const { Patterns } = await import(${JSON.stringify(module)})
      const patterns = new Patterns()
      const texts = ['aaa', 'a'.repeat(60) + '!', 'aaa']
      console.log(JSON.stringify(await Promise.all(texts.map((text) => patterns.find(/^(a+)+$/, text)))))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
      timeout: 30_000,
    })
    const found = { text: 'aaa', groups: {} }
    const late = { fault: 'match-timeout', detail: 'takes too long for this text' }
    expect(JSON.parse(stdout)).toEqual([found, late, found])
  })

  it('a pattern that could run away finds what it finds otherwise', async () => {
    const match = compileMatch({ content: /^(?<verb>\w+) (?<what>\w+)$/g })
    for (const target of ['web', 'api'])
      expect(await match(clink({ content: `deploy ${target}` }), undefined)).toEqual({
        text: `deploy ${target}`,
        groups: { verb: 'deploy', what: target },
      })
  })
})
