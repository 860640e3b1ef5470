import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { directoryWith, issuesOf, linesOf, loadText } from '../support/config-files.ts'

describe('a configuration with mistakes', () => {
  it('names all of them at once, each with its line and column, in the order of the file', async () => {
    const lines = await linesOf(
      loadText(
        [
          'poll:',
          '  interval: 5 secs',
          '  maxIntervall: 1m',
          'concurrency: 0',
          'inbox: { for: opne }',
          'log: { content: "yes" }',
          'retry: [1]',
        ].join('\n'),
      ),
    )
    expect(lines).toEqual([
      'clink-worker.yaml:2:13: poll.interval: "5 secs" is not a duration; write 250ms, 30s, 5m, 1h',
      'clink-worker.yaml:3:3: poll.maxIntervall: unknown key; did you mean maxInterval?',
      'clink-worker.yaml:4:14: concurrency: 0 is not a whole number from 1 to 1000',
      'clink-worker.yaml:5:15: inbox.for: "opne" is not one of me, open, anyone; did you mean open?',
      'clink-worker.yaml:6:17: log.content: "yes" is not true or false',
      'clink-worker.yaml:7:8: retry: is not a group of keys and values',
    ])
  })

  it('names an unknown key whatever that means in JavaScript, in every group', async () => {
    const names = ['__proto__', 'constructor', 'toString']
    const keys = names.map((name) => `${name}: { key: x }`)
    const groups = ['poll', 'retry', 'state', 'server', 'inbox']
    const lines = await linesOf(
      loadText(
        [
          ...keys,
          ...groups.map((name) => `${name}: { ${keys.join(', ')} }`),
          'routes:',
          `  - { name: a, use: a.ts, ${keys.join(', ')}, match: { ${keys.join(', ')} } }`,
        ].join('\n'),
      ),
    )
    const paths = ['', ...groups.map((name) => `${name}.`), 'routes[0].', 'routes[0].match.']
    const unknown = paths.flatMap((path) => names.map((name) => `${path}${name}: unknown key`))
    expect(lines.map((line) => line.replace(/^\S+ /, '')).toSorted()).toEqual(unknown.toSorted())
  })

  it('also those by which correct keys do not fit each other, though others of their group are wrong', async () => {
    const lines = await linesOf(
      loadText(
        [
          'poll: { interval: 20s, sweep: bad }',
          'retry: { backoff: 20m, maxBackoff: 5 }',
          'shutdown: { drain: 30s, bogus: 1 }',
          'claim: [1]',
          'routes:',
          '  - { name: a, use: a.ts, weight: 11, timeout: 5 x }',
          '  - { name: a, use: b.ts, match: { content: { regex: "(" } } }',
          '  - { name: b, exec: [1] }',
          '  - { name: c, http: { url: localhost } }',
          '  - { name: d, exec: [x], http: "http://localhost" }',
        ].join('\n'),
        { env: { HTTPS_PROXY: 'socks5://x:1' } },
      ),
    )
    expect(lines.map((line) => line.replace(/^clink-worker\.yaml:(\d+)\S* /, '$1 '))).toEqual([
      '1 poll.maxInterval: is shorter than poll.interval',
      '1 poll.sweep: "bad" is not a duration; write 250ms, 30s, 5m, 1h',
      '2 retry.maxBackoff: 5 is not a duration; write 250ms, 30s, 5m, 1h',
      '3 shutdown.drain: "30s" is longer than shutdown.timeout, of which it is a part',
      '3 shutdown.bogus: unknown key',
      '4 claim: is not a group of keys and values',
      '6 routes[0].weight: 11 is more than concurrency: it could never run',
      '6 routes[0].timeout: "5 x" is not a duration; write 250ms, 30s, 5m, 1h',
      '7 routes[1].name: "a" is also the name of routes[0]',
      expect.stringMatching(/^7 routes\[1\]\.match\.content\.regex: "\(" is not a regular expression/),
      '8 routes[2].exec[0]: 1 is not text; put it in quotes',
      '9 routes[3].http.url: "localhost" is not an address that begins with http:// or https://',
      '10 routes[4]: has more than one of use, exec and http',
      expect.stringMatching(/^environment HTTPS_PROXY: "socks5:\/\/x:1"/),
    ])
  })

  it.each([
    ['timeout: 5m', 'timeout: unknown key; there is clink.timeout, claim.timeout, handlers.timeout, shutdown.timeout'],
    ['max_interval: 5m', 'max_interval: unknown key'],
    ['poll: { max_interval: 5m }', 'poll.max_interval: unknown key; did you mean maxInterval?'],
    ['hnadlers: {}', 'hnadlers: unknown key; did you mean handlers?'],
    ['constructor: 1', 'constructor: unknown key'],
    ['__proto__: 1', '__proto__: unknown key'],
    ['routes: [{ use: ./a.ts, usee: ./b.ts }]', 'routes[0].usee: unknown key; did you mean use?'],
  ])('%s: an unknown key comes with what was probably meant', async (text, message) => {
    const [line, ...others] = await linesOf(loadText(text))
    expect(line?.replace(/^[^ ]* /, '')).toBe(message)
    expect(others).toEqual([])
  })

  it.each([
    ['poll: { interval: 20s }', 'poll.maxInterval', 'is shorter than poll.interval'],
    ['retry: { backoff: 20m }', 'retry.maxBackoff', 'is shorter than retry.backoff'],
    ['shutdown: { drain: 26s }', 'shutdown.drain', 'is longer than shutdown.timeout, of which it is a part'],
    ['claim: { timeout: 7h }', 'claim.maxHold', 'is shorter than claim.timeout'],
    ['claim: { timeout: 900ms }', 'claim.timeout', 'is shorter than 1s'],
    ['concurrency: 1001', 'concurrency', 'is not a whole number from 1 to 1000'],
    ['concurrency: 1.5', 'concurrency', 'is not a whole number from 1 to 1000'],
    ['clink: { url: "ftp://x" }', 'clink.url', 'is not an address that begins with http:// or https://'],
    ['clink: { url: "https://x/?a=1" }', 'clink.url', 'must not hold a query or a fragment'],
    ['clink: { identity: 7 }', 'clink.identity', 'is not text; put it in quotes'],
    ['clink: { session: "a b" }', 'clink.session', 'is not 1 to 180 printable ASCII characters without spaces'],
    ['inbox: { loopLimit: 30 }', 'inbox.loopLimit', 'is not a rate; write 30/10m for thirty in ten minutes'],
    ['inbox: { ignore: [{ id: x }] }', 'inbox.ignore[0]', 'is neither an id nor { name: … } for a display name'],
    ['inbox: { maxHops: 0 }', 'inbox.maxHops', 'is not a whole number from 1 to 1000'],
    ['replies: { mark: "" }', 'replies.mark', 'is not one line of 1 to 200 characters'],
    ['handlers: { timeout: 9999999d }', 'handlers.timeout', 'is longer than 3650d'],
    ['routes: { a: b }', 'routes', 'is not a list; write - { name: deploy, use: ./handlers/deploy.ts }'],
    [
      'routes: [{}]',
      'routes[0]',
      'does not say what runs it; write use: ./handlers/file.ts, exec: [program], or http: address',
    ],
    [
      'routes: [{ http: [] }]',
      'routes[0].http',
      'is neither an address nor a group of keys; write http://127.0.0.1:8080/clinks',
    ],
    ['routes: [{ http: localhost }]', 'routes[0].http', 'is not an address that begins with http:// or https://'],
    ['routes: [{ http: "http://me:pw@localhost" }]', 'routes[0].http', 'must not hold a user name or password'],
    ['routes: [{ http: "http://localhost?a=1" }]', 'routes[0].http', 'must not hold a query or a fragment'],
    ['routes: [{ http: { url: "http://[::1]:1", time: 1 } }]', 'routes[0].http.time', 'unknown key'],
    [
      'routes: [{ http: "http://localhost", passKey: true }]',
      'routes[0].passKey',
      'cannot be true with http: the key is sent to nobody',
    ],
    [
      'routes: [{ http: "http://apps.example/clinks" }]',
      'routes[0].http',
      'is the address of another machine; if that is meant, write http: { url: …, allowHosts: [apps.example] }',
    ],
    ['routes: [{ exec: [] }]', 'routes[0].exec', 'is an empty list'],
    ['routes: [{ exec: [1] }]', 'routes[0].exec[0]', 'is not text; put it in quotes'],
    [
      'routes: [{ exec: true }]',
      'routes[0].exec',
      'is neither a program with its arguments nor a group of keys; write [python3, ./answer.py]',
    ],
    ['routes: [{ exec: { command: [] } }]', 'routes[0].exec.command', 'is an empty list'],
    ['routes: [{ exec: { command: [sh], comand: 1 } }]', 'routes[0].exec.comand', 'unknown key'],
    ['routes: [{ exec: { command: [sh], output: xml } }]', 'routes[0].exec.output', 'is not one of text, json, none'],
    [
      'routes: [{ exec: { command: [sh], maxOutput: 5 } }]',
      'routes[0].exec.maxOutput',
      'is not a size; write 256KiB, 16MiB, 1GiB',
    ],
    ['routes: [{ exec: { command: [sh], env: { A: 1 } } }]', 'routes[0].exec.env.A', 'is not text; put it in quotes'],
    [
      'routes: [{ use: a.ts, match: { content: { regex: "(" } } }]',
      'routes[0].match.content.regex',
      'is not a regular expression: Invalid regular expression: /(/: Unterminated group',
    ],
    [
      'routes: [{ use: a.ts, match: { content: {} } }]',
      'routes[0].match.content',
      'must have either a prefix or a regex',
    ],
    ['routes: [{ use: a.ts, name: x }, { use: b.ts, name: x }]', 'routes[1].name', 'is also the name of routes[0]'],
    [
      'routes: [{ use: a.ts, retry: { backoff: 2s, maxBackoff: 1s } }]',
      'routes[0].retry.maxBackoff',
      'is shorter than backoff',
    ],
  ])('%s is refused', async (text, key, message) => {
    expect(await issuesOf(loadText(text))).toEqual([expect.objectContaining({ key, message })])
  })

  it('shows what is no number as what it is', async () => {
    expect(await linesOf(loadText('retry: { attempts: .nan }'))).toEqual([
      'clink-worker.yaml:1:20: retry.attempts: NaN is not a whole number from 1 to 1000',
    ])
  })

  it('finds how keys relate although another section is broken', async () => {
    const issues = await issuesOf(loadText('poll: { interval: 20s }\nlog: { level: loud }'))
    expect(issues.map(({ key }) => key)).toEqual(['poll.maxInterval', 'log.level'])
  })
})

describe('a file that is not correct YAML', () => {
  it('gets every error of the parser beside those of the schema', async () => {
    const issues = await issuesOf(loadText('poll: { interval: 1s\nconcurrency: 0\nconcurrency: 5\nlog: [}\n'))
    expect(issues.length).toBeGreaterThan(1)
    expect(issues.every(({ line }) => line !== undefined)).toBe(true)
  })

  it.each([
    ['concurrency: 1\nconcurrency: 2', 2, /^concurrency is there twice/],
    ['poll:\n  sweep: 1m\n  sweep: 2m', 3, /^poll\.sweep is there twice/],
    ['? [a]\n: b', 1, /must be text/],
    ['log: !secret x', 1, /tag/i],
    ['a: 1\n---\nb: 2', 2, /one document/],
    ['just text', 1, /must hold keys and values/],
    ['- a', 1, /must hold keys and values/],
  ])('%j: line %i', async (text, line, message) => {
    const [issue] = (await issuesOf(loadText(text))).filter(({ key }) => key === '')
    expect(issue).toMatchObject({ line, message: expect.stringMatching(message) })
  })

  it.each([
    ['log: &a { level: info }\nserver: *b', 2, 9, 'the alias *b has no anchor'],
    ['routes: &a [{ use: a.ts, with: { x: *a } }]', 1, 37, 'the alias *a holds itself'],
  ])('%j: an alias that leads nowhere is named', async (text, line, column, message) => {
    expect(await issuesOf(loadText(text))).toContainEqual(expect.objectContaining({ line, column, message }))
  })

  it('is not brought down by brackets without end', async () => {
    const [issue] = await issuesOf(loadText(`with: ${'['.repeat(20_000)}${']'.repeat(20_000)}`))
    expect(issue).toMatchObject({ line: 1, message: 'lists or groups are nested too deeply' })
  })

  it.each([120, 1_500])('is not brought down by groups within groups, %i of them', async (levels) => {
    const issues = await issuesOf(loadText(`clink:\n  a: ${'{ a: '.repeat(levels)}1${' }'.repeat(levels)}`))
    expect(issues).toContainEqual(
      expect.objectContaining({ line: 2, message: 'lists or groups are nested too deeply' }),
    )
  })

  it('is not read at all where it is too large to be meant', async () => {
    const text = `inbox: { groups: [${'ops, '.repeat(300_000)}ops] }`
    expect(await linesOf(loadText(text))).toEqual([
      'clink-worker.yaml: the file is larger than 1024 KiB: this cannot be meant as a configuration',
    ])
  })

  it.each([
    ['Latin 1', Buffer.from('log: { level: info }\nreplies: { mark: "caf\u00e9" }', 'latin1'), 2],
    ['UTF-16', Buffer.from('concurrency: 3', 'utf16le'), 1],
  ])('in %s is refused, not read as something else', async (_name, bytes, line) => {
    const cwd = await directoryWith()
    // UTF-16 of plain letters is correct UTF-8 with NUL bytes; its byte order mark is not.
    const mark = line === 1 ? Buffer.from([0xff, 0xfe]) : Buffer.alloc(0)
    await writeFile(join(cwd, 'clink-worker.yaml'), Buffer.concat([mark, bytes]))
    expect(await issuesOf(loadConfig({ env: {}, cwd }))).toEqual([
      expect.objectContaining({ line, message: 'is not UTF-8 text; save the file as UTF-8' }),
    ])
  })

  it('may begin with a byte order mark and have the line ends of Windows', async () => {
    const { config } = await loadText('\uFEFFconcurrency: 3\r\npoll:\r\n  interval: 2s\r\n')
    expect([config.concurrency, config.poll.interval]).toEqual([3, 2_000])
  })

  it('is not brought down by aliases that multiply', async () => {
    const bomb = Array.from(
      { length: 12 },
      (_, n) =>
        `a${n}: &a${n} [${Array(9)
          .fill(n === 0 ? '1' : `*a${n - 1}`)
          .join(', ')}]`,
    )
    const issues = await issuesOf(loadText(bomb.join('\n')))
    expect(issues.map(({ message }) => message)).toContain('the file has more than 20000 values, aliases included')
  })

  it('says of a file that is too long that it is, and nothing of what it did not read', async () => {
    const issues = await issuesOf(loadText(`routes:\n${'  - { name: a, use: ./a.ts }\n'.repeat(7_000)}`))
    expect(issues).toMatchObject([{ line: 6_668, message: 'the file has more than 20000 values, aliases included' }])
  })
})

describe('inbox.claim: batch', () => {
  it.each(['groups: [ops]', 'ignore: [self]', 'for: me', 'maxAge: 1h'])(
    'is refused beside %s, which a claiming poll cannot keep (P14)',
    async (setting) => {
      const name = setting === 'for: me' ? 'inbox.for: me' : `inbox.${setting.split(':')[0] ?? ''}`
      expect(await issuesOf(loadText(`inbox: { claim: batch, ${setting} }`))).toEqual([
        expect.objectContaining({
          key: 'inbox.claim',
          message: `cannot be batch with ${name}: a claiming poll takes whatever comes`,
        }),
      ])
    },
  )
})

it('a weight above the concurrency is an error with its place and value (P14)', async () => {
  const issues = await issuesOf(loadText('concurrency: 4\nroutes:\n  - { use: a.ts, weight: 5 }'))
  const message = expect.stringContaining('is more than concurrency')
  expect(issues).toEqual([expect.objectContaining({ key: 'routes[0].weight', line: 3, value: '5', message })])
})
