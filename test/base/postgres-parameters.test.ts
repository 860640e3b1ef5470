import { expect, it } from 'vitest'
import { problemOfAddress, remarkOnAddress, strictAddress } from '../../src/base/postgres-parameters.ts'

const at = (rest: string): string => `postgresql://me:pa55word@host/base?${rest}`

it.each([
  ['ssl_mode=verify-full', 'has the unknown parameter ssl_mode; did you mean sslmode?'],
  ['SSLMODE=require', 'has the unknown parameter SSLMODE; did you mean sslmode?'],
  ['channel_binding=require', 'has the unknown parameter channel_binding'],
  ['statement_timeout=0', 'has the unknown parameter statement_timeout'],
  ['sslmode=verify_full', 'has another sslmode than disable, .*, no-verify; did you mean verify-full?'],
  ['sslmode=', 'has another sslmode than disable'],
  ['ssl=false', 'has another ssl than true, 1, 0, no-verify'],
  ['sslrootcert=', 'has the parameter sslrootcert without a value'],
  ['sslmode=verify-full&sslmode=disable', 'has the parameter sslmode twice'],
  ['sslmode=verify-ca&uselibpqcompat=true', 'has sslmode=verify-ca, which needs sslrootcert'],
  ['sslmode=disable&sslnegotiation=direct', 'has sslnegotiation=direct without TLS'],
  ['host=a,b', 'names several hosts'],
])('an address with %s is refused by name', (parameters, problem) => {
  expect(problemOfAddress(at(parameters))).toMatch(new RegExp(`^${problem.replaceAll('?', '\\?')}`))
})

it.each(['a:1,b:2', 'a,b'])('one of several hosts is refused: %s', (hosts) => {
  expect(problemOfAddress(`postgresql://me:pa,55word@${hosts}/base`)).toMatch(/^names several hosts/)
})

it.each([
  '',
  'sslmode=verify-full&sslrootcert=/ca.pem',
  'sslmode=no-verify',
  'sslmode=require&uselibpqcompat=true',
  'host=/run/postgresql&options=-c%20search_path%3Dx&application_name=x',
])('what the driver goes by is taken: %s', (parameters) => {
  expect(problemOfAddress(at(parameters))).toBeUndefined()
  expect(remarkOnAddress(at(parameters))).toBeUndefined()
  expect(strictAddress(at(parameters))).toBe(at(parameters))
})

it.each(['postgresql://me:top#secret@host/b', 'postgresql://u:1?top&secret@host/b', 'postgresql://u:1#secret@host/b'])(
  'a password that cuts the address up is not shown: %s',
  (text) => {
    const problem = problemOfAddress(text)
    expect(problem).toBeDefined()
    expect(problem).not.toMatch(/top|secret/)
  },
)

it.each(['allow', 'prefer', 'require', 'verify-ca', 'allow&uselibpqcompat=true', 'no-verify&uselibpqcompat=true'])(
  'sslmode=%s is named as what the driver takes it for',
  (mode) => {
    const [name = '', ...others] = mode.split('&')
    const text = at(`application_name=x&sslmode=${mode}&port=5433`)
    expect(problemOfAddress(text)).toBeUndefined()
    expect(remarkOnAddress(text)).toContain(`sslmode=${name} is taken as verify-full`)
    expect(strictAddress(text)).toBe(at(['application_name=x&sslmode=verify-full', ...others, 'port=5433'].join('&')))
  },
)
