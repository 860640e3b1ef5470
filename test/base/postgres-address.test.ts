import { expect, it } from 'vitest'
import { readPostgresAddress, secretsOfAddress } from '../../src/base/postgres-address.ts'

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
