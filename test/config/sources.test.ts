import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { directoryWith, issuesOf, loadText } from '../support/config-files.ts'

describe('where a setting comes from', () => {
  it('is the flag before the environment before the file before the default', async () => {
    const text = 'poll: { interval: 2s }\nconcurrency: 2'
    const env = { CLINK_WORKER_POLL__INTERVAL: '3s', CLINK_WORKER_CONCURRENCY: '3' }
    const flags = { concurrency: '4' }
    const defaults = { concurrency: 5, 'poll.interval': '5s', 'poll.maxInterval': '5s', 'handlers.watch': true }

    const file = await loadText(text, { defaults })
    expect(file.config).toMatchObject({ concurrency: 2, poll: { interval: 2_000, maxInterval: 5_000, sweep: 300_000 } })
    expect(file.config.handlers.watch).toBe(true)
    expect((await loadText(text, { env })).config).toMatchObject({ concurrency: 3, poll: { interval: 3_000 } })
    expect((await loadText(text, { env, flags })).config).toMatchObject({ concurrency: 4, poll: { interval: 3_000 } })
  })

  it('is named when the value is wrong', async () => {
    const issues = await issuesOf(
      loadText('concurrency: 3', {
        env: { CLINK_WORKER_POLL__INTERVAL: 'soon', CLINK_API_URL: 'nowhere' },
        flags: { concurrency: 'many', 'pol.x': '1', 'constructor.x': '1' },
      }),
    )
    expect(issues.map(({ where, key, value }) => [where, key, value])).toEqual([
      ['environment CLINK_API_URL', 'clink.url', '"nowhere"'],
      ['environment CLINK_WORKER_POLL__INTERVAL', 'poll.interval', '"soon"'],
      ['command line', 'concurrency', '"many"'],
      ['command line', 'pol', undefined],
      ['command line', 'constructor', undefined],
    ])
  })

  it('is no file whose name only looks like that of a configuration, which is said', async () => {
    const directory = await directoryWith({ 'clink-worker.yml': 'concurrency: 3' })
    const { config, file, warnings } = await loadConfig({ env: {}, cwd: directory })
    expect([config.concurrency, file]).toEqual([10, null])
    expect(warnings.map(({ message, where }) => `${where} ${message}`)).toEqual([
      `${join(directory, 'clink-worker.yml')} is not read: name it clink-worker.yaml, or give it with --config`,
    ])
    const named = await loadConfig({ env: {}, cwd: directory, file: 'clink-worker.yml' })
    expect([named.config.concurrency, named.warnings]).toEqual([3, []])
  })

  it('is frozen all the way down once it is loaded', async () => {
    const { config } = await loadText('routes: [{ use: a.ts, with: { deep: { list: [1] } } }]')
    const [route] = config.routes
    expect([config, config.poll, config.routes, route, route?.with, route?.with['deep']].map(Object.isFrozen)).toEqual(
      Array(6).fill(true),
    )
  })
})

describe('the environment', () => {
  it('sets any key by its name, with lists and maps as YAML', async () => {
    const { config, warnings } = await loadText('', {
      env: {
        CLINK_WORKER_HANDLERS__WATCH: 'true',
        CLINK_WORKER_RETRY__MAX_BACKOFF: '1h',
        CLINK_WORKER_CLINK__IDENTITY: '123',
        CLINK_WORKER_ROUTES: '[{ use: ./a.ts, name: a }]',
        CLINK_WORKER_LOG: '{ level: debug }',
        CLINK_WORKER_INBOX__MAX_AGE: 'null',
        CLINK_WORKER_CONCURRENCY: '',
        CLINK_SESSION_ID: 'blue',
        CLINK_API_URL: 'http://127.0.0.1:1/prefix/',
      },
    })
    expect(config).toMatchObject({
      handlers: { watch: true },
      retry: { maxBackoff: 3_600_000 },
      clink: { identity: '123', session: 'blue', url: 'http://127.0.0.1:1/prefix' },
      routes: [{ name: 'a' }],
      log: { level: 'debug' },
      inbox: { maxAge: null },
      concurrency: 10,
    })
    expect(warnings).toEqual([])
  })

  it('is warned about where a name means nothing, but not for what Kubernetes sets for a Service', async () => {
    const { warnings } = await loadText('', {
      env: {
        CLINK_WORKER_POLL__MAX_INTERVALL: '1s',
        CLINK_WORKER_TIMEOUT: '1s',
        CLINK_WORKER_SERVICE_HOST: '10.0.0.1',
        CLINK_WORKER_SERVICE_PORT: '7717',
        CLINK_WORKER_SERVICE_PORT_HTTP: '7717',
        CLINK_WORKER_PORT: 'tcp://10.0.0.1:7717',
        CLINK_WORKER_PORT_7717_TCP: 'tcp://10.0.0.1:7717',
        CLINK_WORKER_PORT_7717_TCP_PROTO: 'tcp',
        CLINK_WORKER_PORT_7717_TCP_PORT: '7717',
        CLINK_WORKER_PORT_7717_TCP_ADDR: '10.0.0.1',
      },
    })
    expect(warnings.map(({ where, suggestion }) => [where, suggestion])).toEqual([
      ['environment CLINK_WORKER_POLL__MAX_INTERVALL', 'did you mean CLINK_WORKER_POLL__MAX_INTERVAL?'],
      ['environment CLINK_WORKER_TIMEOUT', 'there is clink.timeout, claim.timeout, handlers.timeout, shutdown.timeout'],
    ])
  })
})

describe('the file', () => {
  it('may be missing: everything has a default', async () => {
    const cwd = await directoryWith()
    const { config, file } = await loadConfig({ env: {}, cwd })
    expect(file).toBeNull()
    expect(config.handlers.directory).toBe(join(cwd, 'handlers'))
    expect(config.concurrency).toBe(10)
  })

  it('may be empty, or hold empty groups', async () => {
    const { config } = await loadText('# nothing\npoll:\nlog:\n  level:\n')
    expect(config).toMatchObject({ poll: { interval: 1_000 }, log: { level: 'info' } })
  })

  it('is --config before $CLINK_WORKER_CONFIG before ./clink-worker.yaml', async () => {
    const cwd = await directoryWith({
      'clink-worker.yaml': 'concurrency: 1',
      'named.yaml': 'concurrency: 2',
      'flag.yaml': 'concurrency: 3',
    })
    const env = { CLINK_WORKER_CONFIG: 'named.yaml' }
    expect((await loadConfig({ env: {}, cwd })).config.concurrency).toBe(1)
    expect((await loadConfig({ env, cwd })).config.concurrency).toBe(2)
    const { config, file } = await loadConfig({ env, cwd, file: 'flag.yaml' })
    expect([config.concurrency, file]).toEqual([3, join(cwd, 'flag.yaml')])
  })

  it.each([
    ['there is no such file', { file: 'none.yaml', env: {} }],
    ['there is no such file', { env: { CLINK_WORKER_CONFIG: 'none.yaml' } }],
    ['is a directory, not a file', { file: '.', env: {} }],
  ])('is an error when it was named and %s', async (message, options) => {
    const cwd = await directoryWith()
    expect(await issuesOf(loadConfig({ cwd, ...options }))).toEqual([expect.objectContaining({ message })])
  })

  it('is where its relative paths start; those of flags and the environment start where the worker does', async () => {
    const cwd = await directoryWith({
      'etc/worker.yaml':
        'handlers: { directory: ./h }\nclink: { keyFile: key }\nroutes: [{ use: ../a.ts }]\nserver: { tokenFile: /t }',
    })
    const options = { cwd, file: 'etc/worker.yaml' }
    const { config } = await loadConfig({ ...options, env: {} })
    expect(config.handlers.directory).toBe(join(cwd, 'etc/h'))
    expect(config.clink.keyFile).toBe(join(cwd, 'etc/key'))
    expect(config.routes[0]).toMatchObject({ use: join(cwd, 'a.ts'), name: 'a' })
    expect(config.server.tokenFile).toBe('/t')
    expect(config.state.directory).toBe(join(cwd, 'etc/state'))

    const env = { CLINK_API_KEY_FILE: './key', STATE_DIRECTORY: '/var/lib/a:/var/lib/b' }
    const other = await loadConfig({ ...options, env, flags: { 'handlers.directory': 'mine' } })
    expect(other.config.handlers.directory).toBe(join(cwd, 'mine'))
    expect(other.config.clink.keyFile).toBe(join(cwd, 'key'))
    expect(other.config.state.directory).toBe('/var/lib/a')
  })
})
