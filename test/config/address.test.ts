import { expect, it } from 'vitest'
import { linesOf, loadText } from '../support/config-files.ts'

// Typed by hand, out of a file with a line end, out of a block of YAML, out of an editor on Windows.
it.each([
  'http://Host:8080/prefix/',
  'http://host:8080/prefix///',
  ' http://host:8080/prefix ',
  'http://host:8080/prefix\n',
  'http://host:8080/prefix/\r\n',
  '\uFEFFhttp://host:8080/prefix',
  'HTTP://host:8080/prefix',
])('the address of the service is one address, written as %j', async (url) => {
  const { config } = await loadText(JSON.stringify({ clink: { url } }))
  expect(config.clink.url).toBe('http://host:8080/prefix')
})

it.each([
  [
    'api.clink.voxos.ai/',
    '"api.clink.voxos.ai/" is not an address that begins with http:// or https://; write https://api.clink.voxos.ai/',
  ],
  ['http://one\nhttp://two', String.raw`"http://one\nhttp://two" must not hold blanks or line ends`],
  ['http://host/?key=1', '"http://host/?key=1" must not hold a query or a fragment'],
  ['http://host/#', '"http://host/#" must not hold a query or a fragment'],
  ['http://bob:hunter2@host/', '"http://…@host/" must not hold a user name or password'],
  [`http://bob:${'hunter2'.repeat(20)}@host`, '"http://…@host" must not hold a user name or password'],
  ['http:bob:hunter2@host', '"http:…@host" must not hold a user name or password'],
  ['http://bob:hun/ter2@host', '"http://…@host" is not an address that begins with http:// or https://'],
  ['bob:hunter2@host', '"bob:…@host" is not an address that begins with http:// or https://'],
  ['unix:/run/clink.sock', '"unix:/run/clink.sock" is not an address that begins with http:// or https://'],
  [
    'http://unix:/run/clink.sock:/',
    '"http://unix:/run/clink.sock:/" is the address of a unix socket, which cannot be used here',
  ],
  ['http://[::1', '"http://[::1" is not an address that begins with http:// or https://'],
])('an address that cannot be used is one line that hides what may be secret: %j', async (url, said) => {
  expect(await linesOf(loadText('', { env: { CLINK_API_URL: url } }))).toEqual([
    `environment CLINK_API_URL: clink.url: ${said}`,
  ])
})
