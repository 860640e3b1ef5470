import { expect, test } from 'vitest'
import { Cli, clinkWorker } from '../../support/cli.ts'
import { handler } from '../../support/site.ts'
import { TempDir } from '../../support/temp-dir.ts'

async function invoke(body: string, args: readonly string[], input?: string) {
  using dir = new TempDir()
  await dir.write({ 'h.js': body.startsWith('export') ? body : handler(body) })
  return await clinkWorker(['invoke', 'h.js', ...args], { cwd: dir.path, ...(input === undefined ? {} : { input }) })
}

async function outcome(body: string, ...args: readonly string[]) {
  const { stdout, ...ended } = await invoke(body, ['--json', ...(args.length === 0 ? ['--text', 'hi'] : args)])
  return { ...ended, ...JSON.parse(stdout) }
}

test('a handler is run on a text, without a key or a service', async () => {
  const ended = await invoke('return `you said ${clink.content}`', ['--text', 'hello there'])
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  expect(ended.stdout).toMatch(/^done after \S+, with the response:\nyou said hello there\n$/)
})

test('the text may come from standard input', async () => {
  expect((await invoke('return clink.content', ['--text', '-'], 'from a pipe\n')).stdout).toContain('\nfrom a pipe\n')
})

test('replies and log lines are shown as they are made, log lines apart', async () => {
  const { stdout, stderr } = await invoke(
    `ctx.log.warn('careful', { n: 1 }); await ctx.reply('soon'); await ctx.reply('all', { to: 'group' })`,
    ['--text', 'x'],
  )
  expect(stdout).toMatch(/^reply to the sender: soon\nreply to the group: all\ndone after \S+, without a response\n$/)
  expect(stderr).toMatch(/ warn .*careful n=1\n$/)
})

test.each([
  [`return 'x'`, 0, { outcome: 'done', response: 'x' }],
  [`return ctx.release('not mine')`, 0, { outcome: 'release', reason: 'not mine' }],
  [`throw ctx.retryAfter('5m', 'busy')`, 0, { outcome: 'retry', after: 300_000, reason: 'busy' }],
  [`return ctx.reject('never')`, 0, { outcome: 'reject', reason: 'never' }],
  [`throw new TypeError('broken')`, 1, { outcome: 'failed', error: { name: 'TypeError', message: 'broken' } }],
  [`ctx.release()`, 1, { outcome: 'failed', error: { message: expect.stringContaining('return ctx.release') } }],
])('%s exits with %i', async (body, code, expected) => {
  expect(await outcome(body)).toMatchObject({ code, stderr: '', outcome: expected })
})

test.each(['await new Promise(() => {})', 'setInterval(() => {}, 1_000); await new Promise(() => {})'])(
  'a handler that never ends has failed by its timeout: %s',
  async (body) => {
    const limits = ['--set', 'handlers.timeout=200ms', '--set', 'handlers.grace=200ms']
    const { code, stdout } = await invoke(body, ['--text', 'hi', '--json', ...limits])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({
      outcome: { outcome: 'failed', error: { message: 'the handler goes on although its signal was aborted' } },
    })
  },
)

test('calls of the API fail with a sentence that says why', async () => {
  expect(await outcome('await ctx.api.listGroups()')).toMatchObject({
    code: 1,
    outcome: {
      error: { name: 'ClinkApiError', message: expect.stringContaining('"clink-worker invoke" has no service') },
    },
  })
})

test('the context is whole', async () => {
  const { outcome: made } = await outcome(
    `return { attempt: ctx.attempt, key: ctx.idempotencyKey, later: ctx.deadline > new Date(), aborted: ctx.signal.aborted, draining: ctx.draining.aborted, match: ctx.match, with: ctx.with }`,
    '--text',
    'x',
    '--with',
    'target=staging',
    '--with',
    'n=3',
  )
  expect(JSON.parse(made.response)).toEqual({
    attempt: 1,
    key: 'msg_invoke',
    later: true,
    aborted: false,
    draining: false,
    match: { route: 'h', text: '', groups: {} },
    with: { target: 'staging', n: 3 },
  })
})

test("the handler's own match gives its groups, and refuses what it does not take", async () => {
  const body =
    'export default { match: { content: /^deploy (?<target>\\w+)/ }, handle: (c, ctx) => ctx.match.groups.target }'
  expect(await outcome(body, '--text', 'deploy staging')).toMatchObject({ outcome: { response: 'staging' } })
  expect(await invoke(body, ['--text', 'hello'])).toMatchObject({
    code: 64,
    stderr:
      'clink-worker: h.js: its match does not take this clink: "hello" of You, in the group invoke (--group names another)\n',
  })
})

test("the README's first handler is tried as the README says", async () => {
  const body = "export default { match: { group: 'ops', content: /^deploy (\\w+)/ }, handle: () => 'Deployed' }"
  expect(await invoke(body, ['--group', 'ops', '--text', 'deploy web'])).toMatchObject({ code: 0, stderr: '' })
  expect(await invoke(body, ['--text', 'deploy web'])).toMatchObject({ code: 64 })
})

test('a clink may come from a file, whole or in part', async () => {
  using dir = new TempDir()
  await dir.write({
    'h.js': handler('return [clink.sender_name, clink.content, clink.extra].join()'),
    'clink.json': '{ "content": "hi", "sender_name": "Alice", "extra": 1 }',
    'bad.json': '{ "content": 5, "status": null }',
    'broken.json': '{',
    'twice.json': '{ "content": "one", "content": "two" }',
  })
  const run = async (file: string) => await clinkWorker(['invoke', 'h.js', '--clink', file], { cwd: dir.path })
  expect((await run('clink.json')).stdout).toContain('\nAlice,hi,1\n')
  expect(await run('bad.json')).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/^clink-worker: bad\.json: content: .*\nclink-worker: bad\.json: status: .*\n$/),
  })
  expect(await run('broken.json')).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('broken.json: this cannot be read as JSON'),
  })
  expect(await run('twice.json')).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('twice.json: this cannot be read as JSON: "content" is given twice'),
  })
  expect(await run('none.json')).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('none.json: it cannot be read'),
  })
})

test("a route of the configuration gives its values, and the directory's other handlers do not count", async () => {
  using dir = new TempDir()
  await dir.write({
    'clink-worker.yaml': 'routes:\n  - { name: mine, use: ./handlers/h.js, with: { a: 1, b: 2 } }\n',
    'handlers/h.js': handler('return [ctx.match.route, ctx.with.a, ctx.with.b].join()'),
    'handlers/broken.js': 'export default 5',
  })
  const { stdout } = await clinkWorker(['invoke', 'handlers/h.js', '--text', 'x', '--with', 'b=3'], { cwd: dir.path })
  expect(stdout).toContain('\nmine,1,3\n')
})

test('Ctrl-C aborts the handler', async () => {
  using dir = new TempDir()
  await dir.write({
    'h.js': handler(
      `ctx.log.info('started'); await new Promise((_, no) => ctx.signal.addEventListener('abort', () => no(ctx.signal.reason)))`,
    ),
  })
  await using cli = new Cli(['invoke', 'h.js', '--text', 'x'], { cwd: dir.path })
  await cli.said(/started/, 'stderr')
  cli.kill('SIGINT')
  const { code, stdout } = await cli.ended
  expect(code).toBe(1)
  expect(stdout).toContain('cancelled')
})

test('a timer that the handler left behind does not keep the command', async () => {
  expect(await invoke(`setInterval(() => {}, 1_000)`, ['--text', 'x'])).toMatchObject({ code: 0 })
})

test('a file that is not there, or is no handler, is named', async () => {
  using dir = new TempDir()
  expect(await clinkWorker(['invoke', 'none.js', '--text', 'x'], { cwd: dir.path })).toMatchObject({
    code: 78,
    stderr: expect.stringMatching(/^clink-worker: none\.js: there is no such file$/m),
  })
  expect(await invoke('export default 5', ['--text', 'x'])).toMatchObject({
    code: 78,
    stderr: expect.stringContaining('h.js: '),
  })
})

test('a text of another worker is shown as a handler sees it, with its hops', async () => {
  const text = 'do it\nanother mark · hop 3'
  expect(await outcome('return `${clink.content}, ${ctx.hops}`', '--text', text)).toMatchObject({
    outcome: { response: 'do it, 3' },
  })
})
