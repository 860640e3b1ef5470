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

it.each([
  'postgresql://me:top#secret@host/b',
  'postgresql://u:1?top&secret@host/b',
  'postgresql://u:1#secret@host/b',
  'postgresql://u:1?top=secret@host/b',
  'postgresql://u:1?top=1&top=secret@host/b',
  'postgresql://u:1?host=secret@host/b',
  'postgresql://u:p@top?secret=1@host/b',
  'postgresql://u@host/b?host=secret@host',
  'postgresql:u:secret@host/b',
  'postgresql:/u:secret@host/b',
  'postgresql://u%3Asecret%40host/b',
  'postgresql://u@host/b?host=u%3Asecret%40host',
])('a password that cuts the address up is not shown: %s', (text) => {
  const problem = problemOfAddress(text)
  expect(problem).toBeDefined()
  expect(problem).not.toMatch(/top|secret/)
})

it.each([
  'postgresql://u:12/secret@host:5432/b',
  'postgresql://u:p@top/secret@host:5432/b',
  'postgresql://u:/secret@host/b',
  'postgresql://u:12/secret@/b?host=/run/postgresql',
  'postgresql://u:top/secret@host/b',
  'postgresql://u:top,1/secret@host/b',
  ' POSTGRES://u:12/secret@host/b',
])('a / in a password is named, and nothing of the password: %s', (text) => {
  const problem = problemOfAddress(text)
  expect(problem).toMatch(/^is cut up by a \/ in it: in a password it is written %2F/)
  expect(problem).not.toMatch(/top|secret/)
})

it.each([
  'postgresql://u:12%2Fsecret@host/b',
  'postgresql://u:p@ss@host/b',
  'postgresql://u:pw@host/a%40b',
  'postgresql://host/b?user=me@realm&password=p@ss/w',
  'postgresql:///b?host=/run/postgresql&application_name=me@here',
  'postgresql:///b?host=/run/here%40',
  'postgresql://me@%2Frun%2Fhere%40/b',
])('an @ where it cuts nothing up is taken: %s', (text) => {
  expect(problemOfAddress(text)).toBeUndefined()
})

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
