import { describe, expect, it } from 'vitest'
import { configOf } from '../../src/config/load.ts'
import { issuesOf, linesOf, loadText } from '../support/config-files.ts'

const URL = 'postgresql://me:pa55word@host/base'
const CLINK_STATE_URL = URL

describe('of a secret and the file that holds it, the stronger source decides', () => {
  it('a file of a flag before an address of the environment', async () => {
    const { config } = await loadText('', { env: { CLINK_STATE_URL }, flags: { 'state.urlFile': '/f' } })
    expect(config.state).toMatchObject({ url: null, urlFile: '/f' })
  })

  it('a file of the environment before an address of the file, and the other way round', async () => {
    const { config } = await loadText(`state: { url: "${URL}" }`, { env: { CLINK_STATE_URL_FILE: '/f' } })
    expect(config.state).toMatchObject({ url: null, urlFile: '/f' })
    const other = await loadText('state: { urlFile: /f }', { env: { CLINK_WORKER_STATE__URL: URL } })
    expect([other.config.state.url?.reveal(), other.config.state.urlFile]).toEqual([URL, null])
  })

  it('a key of the environment before a key file of the file, and a key file of a flag before both', async () => {
    const text = 'clink: { keyFile: /f }'
    const env = { CLINK_API_KEY: 'sk_live_u_1' }
    const { config } = await loadText(text, { env })
    expect([config.clink.key?.reveal(), config.clink.keyFile]).toEqual(['sk_live_u_1', null])
    const flagged = await loadText(text, { env, flags: { 'clink.keyFile': '/g' } })
    expect(flagged.config.clink).toMatchObject({ key: null, keyFile: '/g' })
  })

  it('null gives neither of them', async () => {
    const { config } = await loadText('state: { url: null, urlFile: /f }')
    expect(config.state).toMatchObject({ url: null, urlFile: '/f' })
  })
})

describe('both of one source are an error that names both, and shows neither secret', () => {
  it('of the file', async () => {
    expect(await linesOf(loadText(`state:\n  url: "${URL}"\n  urlFile: /f\nclink: { key: k, keyFile: /g }`))).toEqual([
      expect.stringMatching(/^clink-worker.yaml:3:12: state.urlFile: "\/f" cannot be given with state.url \(\S+\)/),
      expect.stringMatching(/^clink-worker.yaml:4:27: clink.keyFile: "\/g" cannot be given with clink.key \(\S+\)/),
    ])
  })

  it('of the environment, whatever the variables are called', async () => {
    const env = { CLINK_STATE_URL, CLINK_STATE_URL_FILE: '/f', CLINK_API_KEY: 'k', CLINK_WORKER_CLINK__KEY_FILE: '/g' }
    const issues = await issuesOf(loadText('', { env }))
    expect(issues.map(({ where, message }) => [where, message])).toEqual([
      ['environment CLINK_WORKER_CLINK__KEY_FILE', expect.stringContaining('clink.key (environment CLINK_API_KEY)')],
      ['environment CLINK_STATE_URL_FILE', expect.stringContaining('state.url (environment CLINK_STATE_URL)')],
    ])
  })

  it('of a program', () => {
    expect(() => configOf({ state: { url: URL, urlFile: '/f' } }, 'worker', '/')).toThrow(
      /state\.urlFile: .*state\.url/,
    )
  })
})

describe('a variable for the address of the store that is empty', () => {
  it.each(['CLINK_STATE_URL', 'CLINK_STATE_URL_FILE', 'CLINK_WORKER_STATE__URL'])('is an error: %s', async (name) => {
    for (const text of ['', 'state: { urlFile: /f }'])
      expect(await issuesOf(loadText(text, { env: { [name]: ' ' } }))).toMatchObject([
        { where: `environment ${name}`, message: 'is empty' },
      ])
  })

  it('is none where the other one or a flag gives an address, or a flag says that there is none', async () => {
    const env = { CLINK_STATE_URL: '', CLINK_STATE_URL_FILE: '/f' }
    expect((await loadText('', { env })).config.state.urlFile).toBe('/f')
    const empty = { env: { CLINK_STATE_URL: '' } }
    expect((await loadText('', { ...empty, flags: { 'state.urlFile': '/g' } })).config.state.urlFile).toBe('/g')
    expect((await loadText('', { ...empty, flags: { 'state.url': 'null' } })).config.state.url).toBeNull()
  })
})
