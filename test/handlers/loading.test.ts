import { mkdir, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { HandlerRegistry } from '../../src/handlers/registry.ts'
import { answer, clink, directoryWith, load, loadFiles, writeFiles } from '../support/handler-files.ts'

describe('handler files', () => {
  it('are the modules at the top of the directory, in the order of their names', async () => {
    const handler = 'export default { match: {}, handle() {} }'
    const set = await loadFiles({
      'handlers/d.ts': handler,
      'handlers/a.mjs': handler,
      'handlers/b.js': handler,
      'handlers/c.mts': handler,
      'handlers/_part.ts': 'throw new Error("not a handler")',
      'handlers/.hidden.ts': 'throw new Error("not a handler")',
      'handlers/a.test.ts': 'throw new Error("not a handler")',
      'handlers/a.spec.mjs': 'throw new Error("not a handler")',
      'handlers/types.d.ts': 'declare const x: number',
      'handlers/types.d.mts': 'declare const x: number',
      'handlers/old.cjs': 'throw new Error("not a handler")',
      'handlers/readme.md': '',
      'handlers/sub/e.ts': 'throw new Error("not a handler")',
    })
    expect(set.routes.map(({ name, file }) => [name, file])).toEqual([
      ['a', 'handlers/a.mjs'],
      ['b', 'handlers/b.js'],
      ['c', 'handlers/c.mts'],
      ['d', 'handlers/d.ts'],
    ])
  })

  it('are TypeScript or JavaScript, always as ES modules, with clink-worker from anywhere', async () => {
    const set = await loadFiles({
      'package.json': '{ "type": "commonjs" }',
      'handlers/package.json': '{ "type": "commonjs" }',
      'handlers/js.js': `
        import { double } from './parts/double.ts'
        import { defineHandler } from 'clink-worker'
        export default defineHandler({ match: { content: /^js/ }, handle: () => 'js ' + double(2) })`,
      'handlers/parts/double.ts': 'export const double = (n: number): number => n * 2',
      'handlers/ts.ts': `
        import { HandlerAborted, type Clink } from 'clink-worker'
        import data from './parts/data.json' with { type: 'json' }
        export default (clink: Clink) => [clink.content, data.x, typeof HandlerAborted].join(' ')`,
      'handlers/parts/data.json': '{ "x": 1 }',
    })
    expect(await answer(set, clink({ content: 'js' }))).toBe('js 4')
    expect(await answer(set, clink({ content: 'other' }))).toBe('other 1 function')
  })

  it('may import CommonJS from outside, and packages', async () => {
    const set = await loadFiles({
      'lib/old.js': 'module.exports = { name: "old" }',
      'package.json': '{ "type": "commonjs" }',
      'node_modules/parcel/package.json': '{ "name": "parcel", "main": "main.js" }',
      'node_modules/parcel/main.js': 'exports.name = "parcel"',
      'handlers/a.ts': `
        import old from '../lib/old.js'
        import parcel from 'parcel'
        export default () => old.name + ' ' + parcel.name`,
    })
    expect(await answer(set)).toBe('old parcel')
  })

  it('that are methods keep their object', async () => {
    const set = await loadFiles({ 'handlers/a.ts': 'export default { timeout: 5, handle() { return this.timeout } }' })
    expect(await answer(set)).toBe(5)
  })

  it('are loaded through links, as a mounted ConfigMap has them', async () => {
    const cwd = await directoryWith({
      'handlers/..1/a.ts': "import { x } from './_b.ts'\nexport default () => x",
      'handlers/..1/_b.ts': 'export const x = 1',
    })
    const inside = join(cwd, 'handlers')
    await symlink('..1', join(inside, '..data'))
    await symlink('..data/a.ts', join(inside, 'a.ts'))
    await symlink('..data/_b.ts', join(inside, '_b.ts'))
    expect(await answer(await load(cwd))).toBe(1)

    await writeFiles(inside, {
      '..2/a.ts': "import { x } from './_b.ts'\nexport default () => x",
      '..2/_b.ts': 'export const x = 2',
    })
    await symlink('..2', join(inside, '..next'))
    await rename(join(inside, '..next'), join(inside, '..data'))
    expect(await answer(await load(cwd, { generation: 2 }))).toBe(2)
  })
})

describe('a new generation', () => {
  it('has new modules, imported ones included, while the old one goes on with its own', async () => {
    const cwd = await directoryWith({
      'handlers/a.ts':
        "import { text } from './parts/text.ts'\nexport default async () => text + (await import('./parts/late.ts')).late",
      'handlers/parts/text.ts': "export { text } from '../../lib/words.mjs'",
      'handlers/parts/late.ts': 'export const late = " late"',
      'lib/words.mjs': 'export const text = "old"',
    })
    const first = await load(cwd)
    const registry = new HandlerRegistry(first)
    const running = await registry.find(clink(), undefined)
    expect(await answer(first)).toBe('old late')

    await writeFile(join(cwd, 'lib/words.mjs'), 'export const text = "new"')
    registry.replace(await load(cwd, { generation: 2 }))
    expect(await answer(registry.current)).toBe('new late')
    expect(await answer(first)).toBe('old late')
    expect([running?.route.generation, (await registry.find(clink(), undefined))?.route.generation]).toEqual([1, 2])
    expect(registry.describe()).toEqual(['a (handlers/a.ts)'])
  })

  it('knows the files that it is made of, packages left out', async () => {
    const cwd = await directoryWith({
      'handlers/a.ts':
        "import './parts/b.ts'\nimport 'parcel'\nimport 'node:fs'\nimport 'clink-worker'\nexport default () => 1",
      'handlers/parts/b.ts': "import '../../lib/c.mjs'",
      'lib/c.mjs': '',
      'node_modules/parcel/package.json': '{ "name": "parcel", "exports": "./main.mjs" }',
      'node_modules/parcel/main.mjs': '',
    })
    const { files } = await load(cwd)
    expect([...files.keys()].sort()).toEqual(
      ['handlers/a.ts', 'handlers/parts/b.ts', 'lib/c.mjs'].map((file) => join(cwd, file)),
    )
  })

  it('of a handler that was broken does not remember that', async () => {
    const cwd = await directoryWith({
      'handlers/a.ts': "import { x } from './_b.ts'\nexport default () => x",
      'handlers/_b.ts': 'throw 1',
    })
    await expect(load(cwd)).rejects.toThrow(/_b|threw 1/)
    await writeFile(join(cwd, 'handlers/_b.ts'), 'export const x = "mended"')
    expect(await answer(await load(cwd))).toBe('mended')
  })
})

describe('where there is no handler', () => {
  it('the built-in echo stands in when it is asked for', async () => {
    const cwd = await directoryWith({})
    const set = await load(cwd, { echoWhenEmpty: true })
    expect(set.routes.map(({ name, file }) => [name, file])).toEqual([['echo', 'built-in']])
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    expect(await answer(set, clink(), { log })).toBe('echo: hello')
    await mkdir(join(cwd, 'handlers'))
    expect((await load(cwd, { echoWhenEmpty: true })).routes).toHaveLength(1)
  })
})
