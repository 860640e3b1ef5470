import { rm, rename, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Settings } from '../../src/config/settings.ts'
import { HandlerWatch } from '../../src/handlers/watch.ts'
import type { HandlerSet } from '../../src/handlers/registry.ts'
import { answer, configOf, directoryWith, load, writeFiles, type Files } from '../support/handler-files.ts'

type Report = HandlerSet | Error

/** What a watch reported, in order; `next` waits for the first report that has not been taken. */
class Reports {
  readonly #waiting: ((report: Report) => void)[] = []
  readonly untaken: Report[] = []

  add(report: Report): void {
    const wake = this.#waiting.shift()
    if (wake === undefined) this.untaken.push(report)
    else wake(report)
  }

  async next(): Promise<Report> {
    return this.untaken.shift() ?? (await new Promise<Report>((resolve) => this.#waiting.push(resolve)))
  }

  async nextSet(): Promise<HandlerSet> {
    const report = await this.next()
    if (report instanceof Error) throw report
    return report
  }

  async nextError(): Promise<Error> {
    const report = await this.next()
    if (report instanceof Error) return report
    throw new Error('handlers were loaded')
  }
}

interface Watched {
  readonly cwd: string
  readonly reports: Reports
  readonly watch: HandlerWatch
}

async function watched(files: Files, echoWhenEmpty = false): Promise<Watched> {
  return await watchedIn(await directoryWith(files), echoWhenEmpty)
}

async function watchedIn(cwd: string, echoWhenEmpty = false, meanwhile: Files = {}): Promise<Watched> {
  const first = await load(cwd, { echoWhenEmpty })
  await writeFiles(cwd, meanwhile)
  const reports = new Reports()
  const watch = new HandlerWatch({
    settings: new Settings(await configOf(cwd)),
    cwd,
    first,
    echoWhenEmpty,
    interval: 10,
    loaded: (set) => reports.add(set),
    failed: (error) => reports.add(error),
  })
  onTestFinished(async () => await watch.stop())
  await watch.start()
  return { cwd, reports, watch }
}

/** As deployments and mounted ConfigMaps do it: at no moment is there none. */
async function exchange(cwd: string, link: string, target: string): Promise<void> {
  await symlink(target, join(cwd, '.next'))
  await rename(join(cwd, '.next'), join(cwd, link))
}

const text = (value: string): string => `export default () => '${value}'`

describe('watched handlers', () => {
  it('are loaded again when one changes, one is added, and one is removed', async () => {
    const { cwd, reports } = await watched({ 'handlers/a.ts': text('one') })
    await writeFile(join(cwd, 'handlers/a.ts'), text('two'))
    const second = await reports.nextSet()
    expect([second.generation, await answer(second)]).toEqual([2, 'two'])

    await writeFile(join(cwd, 'handlers/b.ts'), 'export default { match: { group: "ops" }, handle: () => "b" }')
    expect(await answer(await reports.nextSet())).toBe('b')

    await rm(join(cwd, 'handlers/b.ts'))
    const fourth = await reports.nextSet()
    expect([fourth.generation, await answer(fourth)]).toEqual([4, 'two'])
  })

  it('are loaded again when a file changes that they import, from the first time on', async () => {
    const { cwd, reports } = await watched({
      'handlers/a.ts': "import { x } from '../lib/x.ts'\nexport default () => x",
      'lib/x.ts': 'export const x = 1',
    })
    await writeFile(join(cwd, 'lib/x.ts'), "export { x } from './deep/y.ts'")
    expect((await reports.nextError()).message).toMatch(/^lib\/x\.ts:1: imports \.\/deep\/y\.ts, which is not found/)
    await writeFiles(cwd, { 'lib/deep/y.ts': 'export const x = 2' })
    expect(await answer(await reports.nextSet())).toBe(2)
    await writeFile(join(cwd, 'lib/deep/y.ts'), 'export const x = 3')
    expect(await answer(await reports.nextSet())).toBe(3)
  })

  it('stay as they are while a change is broken, and the error is reported', async () => {
    const { cwd, reports } = await watched({ 'handlers/a.ts': text('one') })
    await writeFile(join(cwd, 'handlers/a.ts'), 'export default = 5')
    expect((await reports.nextError()).message).toMatch(/^handlers\/a\.ts:1: syntax error/)
    await writeFile(join(cwd, 'handlers/a.ts'), text('mended'))
    const set = await reports.nextSet()
    expect([set.generation, await answer(set)]).toEqual([2, 'mended'])
  })

  it('stay as they are when a change would end the process', async () => {
    const { cwd, reports } = await watched({ 'handlers/a.ts': text('one') })
    await writeFile(join(cwd, 'handlers/a.ts'), `export default () => 'two'\nprocess.exit(3)`)
    expect((await reports.nextError()).message).toBe('handlers/a.ts:2: ended the process while it was loaded')
    await writeFile(join(cwd, 'handlers/a.ts'), text('mended'))
    expect(await answer(await reports.nextSet())).toBe('mended')
  })

  it('are not loaded again when the same content is written once more', async () => {
    const { cwd, reports } = await watched({ 'handlers/a.ts': text('one') })
    await writeFile(join(cwd, 'handlers/a.ts'), text('one'))
    await utimes(join(cwd, 'handlers/a.ts'), 1, 1)
    await writeFile(join(cwd, 'handlers/readme.md'), 'not a handler')
    // The next real change comes after those: it makes the second generation only if they made none.
    await writeFile(join(cwd, 'handlers/b.ts'), 'export default { match: { group: "x" }, handle() {} }')
    expect((await reports.nextSet()).generation).toBe(2)
    expect(reports.untaken).toEqual([])
  })

  it('are loaded again when a ConfigMap is exchanged under them', async () => {
    const cwd = await directoryWith({ 'handlers/..1/a.ts': text('one'), 'handlers/..2/a.ts': text('two') })
    const inside = join(cwd, 'handlers')
    await symlink('..1', join(inside, '..data'))
    await symlink('..data/a.ts', join(inside, 'a.ts'))
    const { reports } = await watchedIn(cwd)
    await symlink('..2', join(inside, '..next'))
    await rename(join(inside, '..next'), join(inside, '..data'))
    expect(await answer(await reports.nextSet())).toBe('two')
  })

  it.each<readonly [string, { from: string; to: string; at: string }]>([
    ['they are', { from: 'v1', to: 'v2', at: 'handlers' }],
    ['a directory above them is', { from: 'releases/1', to: 'releases/2', at: 'current' }],
  ])('are loaded again when %s a link that is exchanged', async (_, { from, to, at }) => {
    const within = at === 'handlers' ? '' : '/handlers'
    const cwd = await directoryWith({
      [`${from}${within}/a.ts`]: text('one'),
      [`${to}${within}/a.ts`]: text('one'),
      [`${to}${within}/b.ts`]: `export default { match: { group: 'ops' }, handle: () => 'new' }`,
      'clink-worker.yaml': at === 'handlers' ? '' : 'handlers: { directory: current/handlers }',
    })
    await exchange(cwd, at, from)
    const { reports } = await watchedIn(cwd)
    await exchange(cwd, at, to)
    expect(await answer(await reports.nextSet())).toBe('new')
    // What is edited from now on is seen as before.
    await writeFile(join(cwd, `${to}${within}/a.ts`), text('edited'))
    expect((await reports.nextSet()).generation).toBe(3)
    await exchange(cwd, at, from)
    expect(await answer(await reports.nextSet())).toBe('one')
  })

  it('are loaded again when only what they import differs behind the exchanged link', async () => {
    const release = (n: number): Files => ({
      [`r/${n}/handlers/a.ts`]: "export { x as default } from '../lib/x.ts'",
      [`r/${n}/lib/x.ts`]: imported(`release ${n}`),
    })
    const cwd = await directoryWith({
      ...release(1),
      ...release(2),
      'clink-worker.yaml': 'handlers: { directory: none }\nroutes: [{ name: a, use: current/handlers/a.ts }]',
    })
    await exchange(cwd, 'current', 'r/1')
    const { reports } = await watchedIn(cwd)
    await exchange(cwd, 'current', 'r/2')
    expect(await answer(await reports.nextSet())).toBe('release 2')
  })

  it('come and go with the built-in echo in an empty directory', async () => {
    const { cwd, reports } = await watched({ 'handlers/readme.md': '' }, true)
    await writeFile(join(cwd, 'handlers/a.ts'), text('mine'))
    expect(await answer(await reports.nextSet())).toBe('mine')
    await rm(join(cwd, 'handlers/a.ts'))
    expect((await reports.nextSet()).routes.map(({ name }) => name)).toEqual(['echo'])
  })
})

const imported = (answers: string): string => `export const x = { match: { group: 'ops' }, handle: () => '${answers}' }`

describe('what has changed before it is watched is loaded', () => {
  it.each<readonly [string, Files, string]>([
    ['a handler', { 'handlers/a.ts': imported('new').replace('const x =', 'default') }, 'new'],
    [
      'a new handler',
      { 'handlers/_a.ts': '', 'handlers/0.ts': imported('new').replace('const x =', 'default') },
      'new',
    ],
    ['a file that one imports', { 'lib/x.ts': imported('new') }, 'new'],
  ])('%s', async (_, meanwhile, expected) => {
    const files = { 'handlers/a.ts': "export { x as default } from '../lib/x.ts'", 'lib/x.ts': imported('old') }
    const { reports } = await watchedIn(await directoryWith(files), false, meanwhile)
    expect(await answer(await reports.nextSet())).toBe(expected)
  })

  it('also where a loading has met it first, and has failed', async () => {
    const cwd = await directoryWith({ 'handlers/a.ts': text('one') })
    const { reports } = await watchedIn(cwd)
    // Each of these is written while the one before is being loaded, or has just been.
    await writeFile(join(cwd, 'handlers/a.ts'), "export { x as default } from '../lib/x.ts'")
    expect(await reports.nextError()).toBeInstanceOf(Error)
    await writeFiles(cwd, { 'lib/x.ts': imported('new') })
    expect(await answer(await reports.nextSet())).toBe('new')
  })
})

describe('a watch', () => {
  it('imports nothing into the main thread of what threads run', async () => {
    const counting = 'globalThis.watchLoads = (globalThis.watchLoads ?? 0) + 1'
    const { reports, watch } = await watched({
      'handlers/a.js': `${counting}\nexport default { runner: 'thread', handle() {} }`,
    })
    await watch.reload()
    await watch.reload()
    expect((await reports.nextSet()).routes.map(({ target }) => target.is)).toEqual(['thread'])
    expect([(await reports.nextSet()).generation, Reflect.get(globalThis, 'watchLoads')]).toEqual([3, 1])
  })

  it('loads when it is told to, changed or not, started or not', async () => {
    const { reports, watch } = await watched({ 'handlers/a.ts': text('one') })
    await watch.reload()
    expect((await reports.nextSet()).generation).toBe(2)
  })

  it('may be stopped before it was started, twice, and while it loads; nothing is reported afterwards', async () => {
    const cwd = await directoryWith({ 'handlers/a.ts': text('one') })
    const reports = new Reports()
    const watch = new HandlerWatch({
      settings: new Settings(await configOf(cwd)),
      cwd,
      first: await load(cwd),
      loaded: (set) => reports.add(set),
      failed: (error) => reports.add(error),
    })
    const reloading = watch.reload()
    await Promise.all([watch.stop(), watch.stop()])
    await reloading
    await watch.start()
    await writeFile(join(cwd, 'handlers/a.ts'), text('two'))
    await watch.reload()
    await watch.stop()
    expect(reports.untaken).toEqual([])
  })
})
