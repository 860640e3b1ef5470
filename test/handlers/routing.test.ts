import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { policyOf } from '../../src/handlers/policy.ts'
import { answer, clink, directoryWith, load, loadFiles, problemsOf } from '../support/handler-files.ts'
import { makeConfig } from '../support/settings.ts'

const NAME = 'export default () => import.meta.filename.split("/").at(-1)'

describe('routes', () => {
  it("are tried in order: the configuration's, the handlers' own by file name, then the one without a match", async () => {
    const own = (match: string): string => `export default { match: ${match}, handle: () => import.meta.filename }`
    const set = await loadFiles({
      'clink-worker.yaml': `
        routes:
          - { name: second, match: { content: { prefix: b } }, use: ./handlers/z.ts }
          - { name: third, match: { content: { prefix: c } }, use: ./other/y.ts }
          - { match: { group: dev }, use: ./handlers/z.ts }`,
      'handlers/0.ts': NAME,
      'handlers/b.ts': own('{ content: /^[ab]/ }'),
      'handlers/c.ts': own('{ content: /^[abc]/ }'),
      'handlers/z.ts': NAME,
      'other/y.ts': NAME,
    })
    expect(set.routes.map(({ name }) => name)).toEqual(['second', 'third', 'z', 'b', 'c', '0'])
    const taken = async (parts: Parameters<typeof clink>[0]): Promise<string | undefined> =>
      (await set.find(clink(parts), undefined))?.match.route
    const all = await Promise.all(['a', 'b', 'c', 'd'].map(async (content) => await taken({ content })))
    expect(all).toEqual(['b', 'second', 'third', '0'])
    expect(await taken({ group_slug: 'dev', content: 'd' })).toBe('z')
  })

  it('may leave a clink to nobody', async () => {
    const set = await loadFiles({ 'handlers/a.ts': 'export default { match: { group: "x" }, handle() {} }' })
    expect(await set.find(clink(), undefined)).toBeUndefined()
  })

  it('merge settings: the route before the handler before the configuration', async () => {
    const set = await loadFiles({
      'clink-worker.yaml': `
        routes:
          - { name: r, use: ./handlers/a.ts, with: { x: 1 }, retry: { attempts: 2 } }
          - { name: s, use: ./handlers/a.ts, timeout: 5s, idle: 2s, renewFirst: false, mark: auto }`,
      'handlers/a.ts':
        'export default { match: { group: "x" }, timeout: "2m", idle: "1m", renewFirst: true, retry: { attempts: 3, backoff: 120_000 }, mark: "never", handle() {} }',
      'handlers/b.ts': NAME,
    })
    expect(set.routes.map(({ target: _, ...rest }) => rest)).toEqual([
      {
        name: 'r',
        file: 'handlers/a.ts',
        generation: 1,
        with: { x: 1 },
        mark: 'never',
        passKey: false,
        timeout: 120_000,
        idle: 60_000,
        renewFirst: true,
        retry: { attempts: 2, backoff: 120_000 },
      },
      {
        name: 's',
        file: 'handlers/a.ts',
        generation: 1,
        with: {},
        mark: 'auto',
        passKey: false,
        timeout: 5_000,
        idle: 2_000,
        renewFirst: false,
        retry: { attempts: 3, backoff: 120_000 },
      },
      {
        name: 'b',
        file: 'handlers/b.ts',
        generation: 1,
        with: {},
        mark: 'auto',
        passKey: false,
        renewFirst: false,
        timeout: undefined,
        retry: {},
      },
    ])
    const general = makeConfig('http://127.0.0.1:1', {
      handlers: { timeout: 60_000 },
      retry: { attempts: 9, backoff: 1_000, maxBackoff: 60_000 },
    })
    const policies = set.routes.map((route) => policyOf(route, general))
    expect(policies.map(({ timeout, retry: { attempts } }) => [timeout, attempts])).toEqual([
      [120_000, 2],
      [5_000, 3],
      [60_000, 9],
    ])
    // A longer first wait than the longest one of the configuration.
    expect(policies.map(({ retry: { backoff, maxBackoff } }) => [backoff, maxBackoff])).toEqual([
      [120_000, 120_000],
      [120_000, 120_000],
      [1_000, 60_000],
    ])
    // A route that says nothing itself has the match of its handler.
    expect((await set.find(clink(), undefined))?.match.route).toBe('b')
    expect((await set.find(clink({ group_slug: 'x' }), undefined))?.match.route).toBe('r')
  })

  it('give the handler what matched and the values under with', async () => {
    const set = await loadFiles({
      'clink-worker.yaml': `
        routes:
          - { name: deploy, match: { content: { regex: '^deploy (?<what>\\w+)' } }, use: ./a.ts, with: { to: staging } }`,
      'a.ts':
        'export default (clink, ctx) => [ctx.match.route, ctx.match.text, ctx.match.groups.what, ctx.with.to].join()',
    })
    expect(await answer(set, clink({ content: 'deploy web, please' }))).toBe('deploy,deploy web,web,staging')
  })

  it('need no directory', async () => {
    const cwd = await directoryWith({ 'clink-worker.yaml': 'routes: [{ use: ./a.ts }]', 'a.ts': NAME })
    expect([...(await load(cwd)).files.keys()]).toEqual([join(cwd, 'a.ts')])
  })

  it.each([
    [
      'two without a match',
      { 'handlers/a.ts': NAME, 'handlers/b.ts': NAME },
      [
        'handlers/b.ts: has no match, and neither has handlers/a.ts: only one handler can take what no other takes; give one a match',
      ],
    ],
    [
      'two of one name',
      { 'handlers/a.ts': NAME, 'handlers/a.mjs': 'export default { match: {}, handle() {} }' },
      ['handlers/a.ts: its route is called a, as that of handlers/a.mjs; rename one'],
    ],
    [
      'a file that is not there',
      { 'clink-worker.yaml': 'routes: [{ use: ./b.ts }]' },
      ['clink-worker.yaml:1: routes[0].use: b.ts does not exist'],
    ],
    [
      'a file that is no module',
      { 'clink-worker.yaml': 'routes: [{ use: ./b.py }]', 'b.py': '' },
      ['clink-worker.yaml:1: routes[0].use: b.py is not a .ts, .mts, .js or .mjs file'],
    ],
    [
      'a directory in place of a file',
      { 'clink-worker.yaml': 'routes: [{ use: ./b.ts }]', 'b.ts/c.ts': '' },
      ['clink-worker.yaml:1: routes[0].use: b.ts is not a file'],
    ],
    ['a file in place of the directory', { handlers: '' }, ['handlers: it is not a directory']],
    [
      'a missing directory',
      {},
      [
        'handlers: there is no such directory; put a file into it, such as answer.ts with a default export, or set routes',
      ],
    ],
    [
      'an empty directory',
      { 'handlers/_lib.ts': '' },
      [
        'handlers: there is no handler in it; put a file into it, such as answer.ts with a default export, or set routes',
      ],
    ],
  ])('are refused for %s', async (_what, files, problems) => {
    expect(await problemsOf(loadFiles(files))).toEqual(problems)
  })
})
