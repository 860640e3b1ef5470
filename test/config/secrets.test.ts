import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { formatIssue } from '../../src/config/issue.ts'
import { errorOf, loadText } from '../support/config-files.ts'

const KEY = 'sk_live_u_0123456789'

describe('P13: what is secret stays out of messages', () => {
  it.each([
    ['where the key belongs', `clink: { key: [${KEY}] }`],
    ['in the wrong place', `clink: { url: ${KEY} }`],
    ['as a key', `clink: { ${KEY}: 1 }`],
    ['in a line that is no YAML', `clink: { key: ${KEY} ]`],
    ['behind what YAML takes for the end', 'state: {}\n} url: postgresql://me:other-0123456789@db'],
    ['behind what YAML takes for the mark of a text', 'state:\n  url: |postgresql://me:other-0123456789@db'],
    ['in a list', `log: { level: [${KEY}] }`],
    ['from the environment, in the wrong place', 'poll:\n  interval: ${SECRET}'],
    ['from the environment, among the values of a program', 'routes: [{ exec: [a], env: { TOKEN: "${SECRET}" } }]'],
    ['as the password of an address', `clink: { url: "https://me:${KEY}@clink.example" }`],
    ['behind another word', 'concurrency: "password ${SECRET}"'],
  ])('a key %s', async (_where, text) => {
    const error = await errorOf(loadText(text, { env: { SECRET: `other-${KEY}` } }))
    const everything = `${error.message} ${inspect(error, { depth: 10 })}`
    expect(everything).not.toContain('0123456789')
    expect(everything).not.toContain('other-')
  })

  it('an address loses its password', async () => {
    const error = await errorOf(loadText('clink: { url: "https://me:hunter2@clink.example" }'))
    expect(error.message).toContain('"https://…@clink.example" must not hold a user name or password')
  })

  it('a loaded configuration does not show the key however it is printed', async () => {
    const { config, warnings } = await loadText('clink:\n  key: ${CLINK_API_KEY}', { env: { CLINK_API_KEY: KEY } })
    expect(config.clink.key?.reveal()).toBe(KEY)
    expect(
      `${inspect(config, { depth: 10 })} ${JSON.stringify(config)} ${warnings.map(formatIssue).join()}`,
    ).not.toContain('0123456789')
  })
})
