import { describe, expect, it } from 'vitest'
import { loadFiles, problemsOf, type Files } from '../support/handler-files.ts'
import { handleOf } from '../support/target.ts'

const GOOD = "export default () => 'done'\n"
const problems = async (files: Files): Promise<readonly string[]> => await problemsOf(loadFiles(files))

// P14: what the first week brings; each says what to do.
describe('a mistake of the first week', () => {
  const cases: readonly (readonly [string, Files, string])[] = [
    [
      'a file beside handlers that only helps them',
      { 'handlers/a.ts': GOOD, 'handlers/helper.ts': 'export const help = 1' },
      'handlers/helper.ts: has no default export; write export default defineHandler({ async handle(clink, ctx) { … } }), or begin its name with _ if it is there for other files',
    ],
    [
      'a lone handler in CommonJS',
      { 'handlers/answer.cjs': "module.exports = () => 'done'" },
      'handlers: there is no handler in it (answer.cjs is CommonJS, and handlers are ES modules: call it answer.js and write export default in place of module.exports); put a file into it, such as answer.ts with a default export, or set routes',
    ],
    [
      'a handler with JSX',
      { 'handlers/answer.tsx': GOOD },
      'handlers: there is no handler in it (answer.tsx is in it: handlers are .ts, .mts, .js and .mjs files, and not looked for in directories below); put a file into it, such as answer.ts with a default export, or set routes',
    ],
    [
      'handlers in directories of their own',
      { 'handlers/one/index.ts': GOOD, 'handlers/two/index.ts': GOOD },
      'handlers: there is no handler in it (one and 1 more is in it: handlers are .ts, .mts, .js and .mjs files, and not looked for in directories below); put a file into it, such as answer.ts with a default export, or set routes',
    ],
    [
      'a path that only TypeScript knows',
      { 'handlers/a.ts': `import { x } from '@/lib'\n${GOOD}` },
      'handlers/a.ts:1: imports @/lib, a path that only tsconfig.json knows, and Node does not; write the relative path, with its ending, as ./lib.ts',
    ],
    [
      'an import without an ending',
      { 'handlers/a.ts': `import { x } from './_lib'\n${GOOD}`, 'handlers/_lib.ts': 'export const x = 1' },
      'handlers/a.ts:1: imports ./_lib, which is not found; write ./_lib.ts',
    ],
    [
      'an enum',
      { 'handlers/a.ts': `enum Colour { red }\n${GOOD}` },
      "handlers/a.ts:1: TypeScript enum is not supported: Node only takes types away; write const Color = { red: 'red', blue: 'blue' } as const",
    ],
    [
      'a decorator',
      { 'handlers/a.ts': `const mark = (x: unknown): unknown => x\n@mark class A {}\n${GOOD}` },
      'handlers/a.ts:2: syntax error: Invalid or unexpected token; Node knows no decorators',
    ],
    [
      'the directory of the file',
      { 'handlers/a.ts': `console.log(__dirname)\n${GOOD}` },
      'handlers/a.ts:1: __dirname is not defined in ES module scope; handlers are ES modules: write import.meta.dirname',
    ],
    [
      'something that fails while the file is loaded',
      { 'handlers/a.ts': `throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })\n${GOOD}` },
      'handlers/a.ts:1: threw while it was loaded: TypeError: fetch failed (connect ECONNREFUSED)',
    ],
    [
      'CommonJS beside handlers',
      { 'handlers/a.ts': `import { x } from './_lib.js'\n${GOOD}`, 'handlers/_lib.js': 'module.exports = { x: 1 }' },
      'handlers/a.ts:1: ./_lib.js has no export x: it is CommonJS, and files beside handlers are ES modules; write export in it, or call it .cjs',
    ],
  ]
  it.each(cases)('%s', async (_, files, said) => {
    expect(await problems(files)).toEqual([said])
  })
})

describe('what a user may expect to work, works', () => {
  const COMMON = '{ "type": "commonjs" }'
  const cases: readonly (readonly [string, Files])[] = [
    [
      'a default that a CommonJS module was compiled with, exported again',
      {
        'handlers/a.ts': "export { default } from '../built.cjs'",
        'built.cjs': `Object.defineProperty(exports, '__esModule', { value: true })\nexports.default = () => 'done'`,
      },
    ],
    [
      'the export of a CommonJS module, exported again',
      {
        'handlers/a.ts': "export { default } from '../plain.cjs'",
        'plain.cjs': "module.exports = () => 'done'",
      },
    ],
    [
      'a handler inside a package of CommonJS',
      {
        'handlers/a.js': GOOD,
        'handlers/b.ts': "export default { match: { group: 'x' }, handle: () => 1 }",
        'package.json': COMMON,
      },
    ],
    [
      'TypeScript of such a package that is written with import and export',
      {
        'handlers/a.ts': `import { x } from '../lib/x.ts'\nexport default () => x`,
        'lib/x.ts': "import { y } from './y.js'\nexport const x: string = y",
        'lib/y.js': "export const y = 'done'",
        'package.json': COMMON,
      },
    ],
    [
      'CommonJS of such a package',
      {
        'handlers/a.ts': `import { x } from '../lib/x.js'\nexport default () => x`,
        'lib/x.js': "// export is only a word here\nexports.x = require('./y.js')",
        'lib/y.js': "module.exports = 'done'",
        'package.json': COMMON,
      },
    ],
    [
      'a handler in a package of ES modules that imports one of CommonJS',
      {
        'handlers/a.js': `import { x } from '../lib/x.js'\nexport default () => x`,
        'package.json': '{ "type": "module" }',
        'lib/package.json': COMMON,
        'lib/x.js': "exports.x = 'done'",
      },
    ],
  ]
  it.each(cases)('%s', async (_, files) => {
    const set = await loadFiles(files)
    const [first] = set.routes.filter(({ name }) => name === 'a')
    expect(await Reflect.apply(first === undefined ? () => {} : handleOf(first), undefined, [{}, {}])).toBe('done')
  })
})
