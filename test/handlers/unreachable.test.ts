import { expect, it } from 'vitest'
import type { MatchRule } from '../../src/config/config.ts'
import { covers } from '../../src/handlers/covers.ts'

it.each<[MatchRule, MatchRule]>([
  [{}, {}],
  [{}, { group: 'ops', from: 'user_bob', for: 'me', content: { prefix: 'a' } }],
  [{ for: 'anyone' }, { for: 'me' }],
  [{ group: 'ops' }, { group: 'ops', content: /^a/ }],
  [{ group: ['ops', 'dev-*'] }, { group: ['dev-eu', 'ops'] }],
  [{ from: 'user_*' }, { from: 'user_bob' }],
  [{ from: { name: 'b*' } }, { from: { name: 'bob' } }],
  [{ content: { prefix: 'dep' } }, { content: { prefix: 'deploy' } }],
  [{ content: { regex: '^a' } }, { content: /^a/ }],
])('%o takes all that %o would', (rule, other) => {
  expect(covers(rule, other)).toBe(true)
})

it.each<[MatchRule, MatchRule]>([
  [{ group: 'ops' }, {}],
  [{ group: 'ops' }, { group: 'o*' }],
  [{ group: 'ops' }, { group: ['ops', 'dev'] }],
  [{ from: 'bob' }, { from: { name: 'bob' } }],
  [{ for: 'me' }, {}],
  [{ content: { prefix: 'deploy' } }, { content: { prefix: 'dep' } }],
  [{ content: /^a/ }, { content: /^a/i }],
  [{ content: /^a/ }, { content: { prefix: 'ab' } }],
  [{ content: { prefix: 'a' } }, { content: /^ab/ }],
  [{ group: 'ops' }, { content: /^a/ }],
])('%o does not surely take all that %o would', (rule, other) => {
  expect(covers(rule, other)).toBe(false)
})
