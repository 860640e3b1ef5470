import { describe, expect, it } from 'vitest'
import { directoryWith, load, problemsOf, type Files } from '../support/handler-files.ts'
import { reloadInThread } from '../support/reload-in-thread.ts'

/** What is said of one broken file, with what stands around it; the same at a reload that loads it in a thread. */
async function problems(text: string, around: Files = {}, name = 'a.ts'): Promise<readonly string[]> {
  const cwd = await directoryWith({ [`handlers/${name}`]: text, ...around })
  const options = text.includes('await new Promise') ? { importTimeout: 200 } : {}
  const here = await problemsOf(load(cwd, options))
  expect(await problemsOf(reloadInThread(cwd, options))).toEqual(here)
  return here
}

const HOW = 'write export default defineHandler({ async handle(clink, ctx) { … } })'

describe('a handler module with the wrong exports', () => {
  it.each([
    [
      'export const x = 1',
      `handlers/a.ts: has no default export; ${HOW}, or begin its name with _ if it is there for other files`,
    ],
    ['export const handle = () => 1', `handlers/a.ts: has no default export (handle is exported by its name); ${HOW}`],
    ['export default 5', `handlers/a.ts: the default export is a number (5), not a function or a definition; ${HOW}`],
    [
      'export default undefined',
      `handlers/a.ts: the default export is undefined, not a function or a definition; ${HOW}`,
    ],
    [
      'export default class A {}',
      `handlers/a.ts: the default export is a class, not a function or a definition; ${HOW}`,
    ],
    ['export default [() => 1]', `handlers/a.ts: the default export is a list, not a function or a definition; ${HOW}`],
    [
      'export default Promise.resolve(() => 1)',
      `handlers/a.ts: the default export is a promise, not a function or a definition; ${HOW}`,
    ],
    ['export default {}', `handlers/a.ts: the definition has no handle; ${HOW}`],
    ['export default { hanlde() {} }', `handlers/a.ts: the definition has no handle, but hanlde; ${HOW}`],
    ['export default { handle: 1 }', 'handlers/a.ts: handle: 1 is not a function'],
    ['export default { handle() {}, timout: "5m" }', 'handlers/a.ts: timout: unknown field; did you mean timeout?'],
    [
      'export default { handle() {}, timeout: "5" }',
      'handlers/a.ts: timeout: "5" is not a duration; write 250ms, 30s, 5m, 1h, or milliseconds',
    ],
    [
      'export default { handle() {}, timeout: -1 }',
      'handlers/a.ts: timeout: -1 is not a duration; write 250ms, 30s, 5m, 1h, or milliseconds',
    ],
    ['export default { handle() {}, runner: "thred" }', 'handlers/a.ts: runner: "thred" is not one of inline, thread'],
    [
      'export default { handle() {}, concurrency: 0 }',
      'handlers/a.ts: concurrency: 0 is not a whole number from 1 to 1000',
    ],
    [
      'export default { handle() {}, rate: "often" }',
      'handlers/a.ts: rate: "often" is not a rate; write 30/10m for thirty in ten minutes',
    ],
    ['export default { handle() {}, serial: "no" }', 'handlers/a.ts: serial: "no" is not one of group, sender'],
    [
      'export default { handle() {}, match: { contnt: /x/ } }',
      'handlers/a.ts: match.contnt: unknown field; did you mean content?',
    ],
    [
      'export default { handle() {}, match: { content: "x" } }',
      'handlers/a.ts: match.content: "x" is neither a regular expression nor { prefix } nor { regex }',
    ],
    [
      'export default { handle() {}, match: { group: 5 } }',
      'handlers/a.ts: match.group: 5 is neither text nor a list of texts',
    ],
    [
      'export default { handle() {}, match: { for: "you" } }',
      'handlers/a.ts: match.for: "you" is not one of me, anyone',
    ],
    [
      'export default { handle() {}, retry: { attempts: 0 } }',
      'handlers/a.ts: retry.attempts: 0 is not a whole number from 1 to 1000',
    ],
    [
      'export default { handle() {}, match: { content: { regex: "(" } } }',
      'handlers/a.ts: match.content.regex: "(" is not a regular expression: Invalid regular expression: /(/: Unterminated group',
    ],
  ])('%s', async (text, problem) => {
    expect(await problems(text)).toEqual([problem])
  })
})

describe('TypeScript that Node cannot take the types from', () => {
  it.each([
    [
      '\nenum Color { red }\nexport default () => Color.red',
      'handlers/a.ts:2',
      'TypeScript enum is not supported',
      'as const',
    ],
    [
      'class A { constructor(private x: number) {} }\nexport default () => new A(1)',
      'handlers/a.ts:1',
      'parameter property',
      'assign it in the constructor',
    ],
    [
      '\n\nnamespace N { export const a = 1 }\nexport default () => N.a',
      'handlers/a.ts:3',
      'namespace',
      'a file of its own',
    ],
  ])('%j', async (text, place, what, instead) => {
    const [problem, ...others] = await problems(text)
    expect(problem).toMatch(RegExp(`^${place}: `))
    expect(problem).toContain(what)
    expect(problem).toContain(instead)
    expect(others).toEqual([])
  })

  it('in a package is named as such', async () => {
    const [problem] = await problems('import { x } from "parcel"\nexport default () => x', {
      'node_modules/parcel/package.json': '{ "name": "parcel", "type": "module", "exports": "./main.ts" }',
      'node_modules/parcel/main.ts': 'export const x: number = 1',
    })
    expect(problem).toMatch(/^handlers\/a\.ts: .*node_modules\/parcel\/main\.ts.*packages must be built to JavaScript/)
  })
})

describe('an import that does not work', () => {
  // Node says it in other words where somebody looks on at what is loaded, as the test runner does in its own thread.
  it('a name that a CommonJS module elsewhere does not show', async () => {
    const around = { 'lib.cjs': 'module.exports = { ["x"]: 1 }' }
    expect(await problems("import { x } from '../lib.cjs'\nexport default () => x", around)).toEqual([
      "handlers/a.ts:1: ../lib.cjs is CommonJS and does not show its export x; write import all from '../lib.cjs' and const { x } = all",
    ])
  })

  it.each([
    [
      'a type without import type',
      "\nimport { Foo } from './_b.ts'\nexport default (x: Foo) => x",
      "handlers/a.ts:2: ./_b.ts has no export Foo at run time, it is a type; write import type { Foo } from './_b.ts'",
    ],
    [
      'a type of clink-worker',
      "import { Clink } from 'clink-worker'\nexport default (x: Clink) => x",
      "handlers/a.ts:1: clink-worker has no export Clink; if it is a type, write import type { Clink } from 'clink-worker'",
    ],
    [
      'a name that is not there',
      "import { nope } from './_b.ts'\nexport default () => nope",
      "handlers/a.ts:1: ./_b.ts has no export nope; if it is a type, write import type { nope } from './_b.ts'",
    ],
    [
      'a relative path without .ts',
      "\n\nimport { b } from './_b'\nexport default () => b",
      'handlers/a.ts:3: imports ./_b, which is not found; write ./_b.ts',
    ],
    [
      'the name after building',
      "import { b } from './_b.js'\nexport default () => b",
      'handlers/a.ts:1: imports ./_b.js, which is not found; write ./_b.ts',
    ],
    [
      'a file that is not there',
      "import { b } from './c.ts'\nexport default () => b",
      'handlers/a.ts:1: imports ./c.ts, which is not found; there is no such file',
    ],
    [
      'a directory',
      "import { b } from './sub'\nexport default () => b",
      'handlers/a.ts:1: imports the directory ./sub; name the file in it, as ./sub/index.ts',
    ],
    [
      'a package that is not there',
      "import b from '@scope/nope/part'\nexport default () => b",
      'handlers/a.ts:1: imports @scope/nope/part, which is not installed; run npm install @scope/nope beside the handlers',
    ],
    [
      'JSON without its type',
      "import b from './sub/data.json'\nexport default () => b",
      "needs an import attribute of \"type: json\"; write import data from './file.json' with { type: 'json' }",
    ],
  ])('%s', async (_what, text, expected) => {
    const [problem, ...others] = await problems(text, {
      'handlers/_b.ts': 'export interface Foo { a: 1 }\nexport const b = 1',
      'handlers/sub/data.json': '{}',
    })
    expect(problem).toContain(expected)
    expect(others).toEqual([])
  })

  it('is reported once, where it stands, when several handlers meet it', async () => {
    const text = "import './_b.ts'\nexport default { match: {}, handle() {} }"
    expect(await problems(text, { 'handlers/c.ts': text, 'handlers/_b.ts': '\nimport "./gone.ts"' })).toEqual([
      'handlers/_b.ts:2: imports ./gone.ts, which is not found; there is no such file',
    ])
  })
})

describe('a module that does not get through', () => {
  it.each([
    ['a.ts', 'const a = 1\nconst b = = 2\nexport default () => a', /^handlers\/a\.ts:2: syntax error: /],
    [
      'a.js',
      'const a = 1\n\nconst b = = 2\nexport default () => a',
      /^handlers\/a\.js:3: syntax error: Unexpected token '='$/,
    ],
    [
      'a.ts',
      '\nthrow new TypeError("boom")\nexport default 1',
      /^handlers\/a\.ts:2: threw while it was loaded: TypeError: boom$/,
    ],
    ['a.ts', 'throw { odd: 1 }', /^handlers\/a\.ts: threw { odd: 1 } while it was loaded$/],
    ['a.js', '\nconst fs = require("fs")', /^handlers\/a\.js:2: require is not defined.*handlers are ES modules/],
    ['a.js', 'module.exports = () => 1', /^handlers\/a\.js:1: module is not defined.*handlers are ES modules/],
    [
      'a.ts',
      'await new Promise(() => {})\nexport default () => 1',
      /^handlers\/a\.ts: was not loaded after 200ms; does an await at its top level never end\?$/,
    ],
  ])('%s: %j', async (name, text, expected) => {
    const found = await problems(text, { 'package.json': '{ "type": "commonjs" }' }, name)
    expect(found).toEqual([expect.stringMatching(expected)])
  })

  it('does not hide what is wrong with the others', async () => {
    const found = await problems('throw 1', { 'handlers/b.ts': 'export default 5', 'handlers/c.ts': 'enum A {}' })
    expect(found.map((line) => line.slice(0, 13))).toEqual(['handlers/a.ts', 'handlers/b.ts', 'handlers/c.ts'])
  })
})
