import { describe, expect, it } from 'vitest'
import { clinkWorker } from '../../support/cli.ts'
import { handler, Site } from '../../support/site.ts'
import { TempDir } from '../../support/temp-dir.ts'

const ROUTES = `
concurrency: 4
inbox: { ignore: [user_mallory] }
routes:
  - name: deploy
    match: { group: ops, content: { regex: '^deploy (?<target>\\w+)' } }
    use: handlers/deploy.js
    concurrency: 2
    rate: 5/1s
    weight: 2
    serial: sender
  - { name: late, match: { group: 'op*' }, use: handlers/late.js }
  - { name: never, match: { group: ops, from: user_bob }, use: handlers/never.js }
`
const files = {
  'clink-worker.yaml': ROUTES,
  'handlers/deploy.js': handler(''),
  'handlers/late.js': handler(''),
  'handlers/never.js': handler(''),
  'handlers/hi.js': `export default { match: { content: /^hi/ }, handle: () => {} }`,
}

async function lines(dir: TempDir, ...args: readonly string[]): Promise<readonly string[]> {
  const { code, stdout, stderr } = await clinkWorker(['check', ...args], { cwd: dir.path })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.split('\n')
}

describe('check prints the routes (§4, P14)', () => {
  it('in the order in which they are tried, with what they take, what runs it and their limits', async () => {
    using dir = new TempDir()
    await dir.write(files)
    const table = (await lines(dir)).slice(2, 6).map((line) => line.slice('handlers       ok       '.length))
    expect(table.map((line) => line.split(/ {2,}/))).toEqual([
      ['1', 'deploy', 'group ops, content /^deploy (?<target>\\w+)/', 'handlers/deploy.js', LIMITS],
      ['2', 'late', 'group op*', 'handlers/late.js'],
      ['3', 'never', 'group ops, from user_bob', 'handlers/never.js'],
      ['4', 'hi', 'content /^hi/', 'handlers/hi.js'],
    ])
  })

  it('and warns of a route that can take nothing, with the lines of both', async () => {
    using dir = new TempDir()
    await dir.write(files)
    const warnings = (await lines(dir)).filter((line) => line.includes('can take nothing'))
    expect(warnings.map((line) => line.split(/ {2,}/).slice(1))).toEqual([
      [
        'warning',
        'clink-worker.yaml:13: the route never can take nothing: the route late (clink-worker.yaml:12) is tried first and takes all that it would; narrow that one, or change their order',
      ],
    ])
  })

  it('with --clink says which route takes it and why, or why it is left alone', async () => {
    using dir = new TempDir()
    const clink = (content: string, group = 'ops', sender = 'user_x') =>
      JSON.stringify({ content, group_slug: group, sender_id: sender })
    await dir.write({
      ...files,
      'a.json': clink('deploy web'),
      'b.json': clink('hello'),
      'c.json': clink('hello', 'support'),
      'd.json': clink('hello', 'ops', 'user_mallory'),
    })
    const said = async (file: string): Promise<readonly string[]> => {
      const all = await lines(dir, '--clink', file)
      const first = all.findIndex((line) => line.startsWith('clink '))
      const rest = all.slice(first + 1)
      return [
        all[first] ?? '',
        ...rest.slice(
          0,
          rest.findIndex((line) => !line.startsWith(' ')),
        ),
      ].map((line) => line.replace(/^(clink +\w+)? +/, ''))
    }
    expect(await said('a.json')).toEqual([
      'a.json: the route deploy takes it: group ops, content /^deploy (?<target>\\w+)/',
    ])
    expect(await said('b.json')).toEqual([
      'b.json: the route late takes it: group op*',
      'not deploy: its text does not fit /^deploy (?<target>\\w+)/',
    ])
    expect(await said('c.json')).toEqual([
      'c.json: left alone: no route',
      'not deploy: its group is not ops',
      'not late: its group is not op*',
      'not never: its group is not ops',
      'not hi: its text does not fit /^hi/',
    ])
    expect(await said('d.json')).toEqual(['d.json: left alone: inbox.ignore leaves it out'])
  })

  it('with --clink takes the id of a clink that waits, and claims nothing', async () => {
    await using site = await Site.start({ 'handlers/h.js': handler('') })
    const { clink_id: id } = site.emulator.send('ops', 'hello')
    const check = async (given: string) => {
      await using cli = site.cli(['check', '--json', '--clink', given])
      const { code, stdout } = await cli.ended
      const { findings } = JSON.parse(stdout)
      return { code, clink: findings.find(({ what }: { what: string }) => what === 'clink') }
    }
    expect(await check(id)).toMatchObject({ code: 0, clink: { detail: `${id}: the route h takes it: everything` } })
    const none = 'msg_none: there is no such file, and no such clink is pending in the inbox'
    expect(await check('msg_none')).toMatchObject({ clink: { result: 'failed', detail: none } })
    expect(site.emulator.clink(id)?.status).toBe('pending')
  })

  it('with --clink finds a clink however many wait before it, as far as the service shows them', async () => {
    await using site = await Site.start({ 'handlers/h.js': handler('') })
    // Nothing can be asked for behind a full page of one millisecond.
    const ids = Array.from({ length: 250 }, (_, n) => {
      site.emulator.moveClock(1)
      return site.emulator.send('ops', `hello ${n}`).clink_id
    })
    const [first = '', last = ''] = [ids[0], ids.at(-1)]
    const check = async (given: string) => {
      await using cli = site.cli(['check', '--clink', given])
      return (await cli.ended).stdout.replaceAll(/\s+/g, ' ')
    }
    expect(await check(last)).toContain(`${last}: the route h takes it: everything`)
    expect(await check('msg_none')).toContain('no such clink is pending in the inbox')
    site.emulator.setSwitches({ inboxOrder: 'newest' })
    expect(await check(first)).toContain(
      'no such clink is pending in the 100 clinks of the inbox that the service shows',
    )
    site.emulator.setSwitches({ maxLimit: 'reject:100' })
    expect(await check(last)).toContain(`${last}: the route h takes it: everything`)
    expect(await check(first)).toContain(
      'no such clink is pending in the 100 clinks of the inbox that the service shows',
    )
    site.emulator.setSwitches({ maxLimit: 'cap:1000' })
    expect(await check(first)).toContain(`${first}: the route h takes it: everything`)
  }, 60_000)

  it('names the line of the configuration that uses a file that is not there', async () => {
    using dir = new TempDir()
    await dir.write({ 'clink-worker.yaml': 'routes:\n  - name: a\n    use: handlers/a.js\n' })
    const { code, stdout } = await clinkWorker(['check'], { cwd: dir.path })
    expect(code).toBe(78)
    expect(stdout).toMatch(
      /^handlers +failed +clink-worker\.yaml:3: routes\[0\]\.use: handlers\/a\.js does not exist$/m,
    )
  })
})

const LIMITS = 'concurrency 2, rate 5/1s, serial sender, weight 2'
