import { expect, it } from 'vitest'
import { readPostgresAddress, secretsOfAddress, withoutSecrets } from '../../src/base/postgres-address.ts'

it.each([
  ['postgresql://me:pa55word@host:5432/base', ['pa55word', 'pa55word']],
  ['postgresql://me:pa%2Fss@host/base', ['pa%2Fss', 'pa/ss']],
  ['postgresql://me:pa55word@/base?host=/run/postgresql', ['pa55word', 'pa55word']],
  ['postgresql://me:100%@host/base', ['100%']],
  ['postgresql:///base?host=/run/postgresql', []],
])('the secrets of %s are all of it, and its password however it is written', (text, passwords) => {
  expect(readPostgresAddress(text)).toBeInstanceOf(URL)
  expect(secretsOfAddress(text)).toEqual([text, ...passwords])
})

it('one of something else is none', () => {
  expect(readPostgresAddress('mysql://me:pa55word@host/base')).toBeUndefined()
})

it.each([
  ['pa55word', 'a pa55wordy text', 'a [secret]y text'],
  ['data', 'no database "data" for me:data@host', 'no database "[secret]" for me:[secret]@host'],
  ['a.b+', 'a.b+ is a.b+', '[secret] is [secret]'],
  ['e', 'permission denied', 'permission denied'],
  ['e', 'postgresql://me:e@else/base cannot be read', 'postgresql://me:[secret]@else/base cannot be read'],
  ['e', 'postgresql:///base?user=me&password=e&host=here', 'postgresql:///base?user=me&password=[secret]&host=here'],
])('a password %s is taken out of %j where it may stand for itself', (password, text, shown) => {
  expect(withoutSecrets(text, `postgresql://me:${password}@host/base`)).toBe(shown)
  expect(withoutSecrets(`at postgresql://me:${password}@host/base`, `postgresql://me:${password}@host/base`)).toBe(
    'at [secret]',
  )
})
