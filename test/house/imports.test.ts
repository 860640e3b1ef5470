import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const source = join(root, 'src')
const architecture = readFileSync(join(root, 'docs/architecture.md'), 'utf8')

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .sort()

/** The rooms of the heart, and what lies beside them. */
const ROOMS = 'worker/'

/** The folder or file of src that a table without finer rows has to name. */
function outermost(file: string): string {
  const parts = file.split('/')
  return parts.slice(0, file.startsWith(ROOMS) ? 2 : 1).join('/')
}

const lies = (file: string, place: string): boolean => file === place || file.startsWith(`${place}/`)

/** Relative imports of a file, static and dynamic, as paths below src. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(source, file), 'utf8')
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+\.ts)'/g)].map(
    ([, specifier = '']) => specifier,
  )
  return specifiers.map((specifier) => relative(source, join(source, dirname(file), specifier)))
}

const imports = new Map(files.map((file) => [file, importsOf(file)]))

/** The rows of the table in docs/architecture.md: first a place in src, then what it may import. */
const table = new Map(
  architecture
    .split('\n')
    .map((line) => line.split('|').map((cell) => [...cell.matchAll(/`([\w./-]+)`/g)].map(([, name = '']) => name)))
    .filter(([, from, , more]) => from?.length === 1 && more !== undefined && more.length === 0)
    .map(([, from = [], allowed = []]) => [from[0] ?? '', allowed] as const)
    .filter(([from]) => files.some((file) => lies(file, from))),
)

/** The finest row that has the file. */
const placeOf = (file: string): string =>
  [...table.keys()].filter((place) => lies(file, place)).sort((a, b) => b.length - a.length)[0] ?? ''

/** Packages that are loaded with a file: by what its head imports, types apart, and by all that this imports in turn. */
function packagesOf(file: string, seen = new Set<string>()): Set<string> {
  const found = new Set<string>()
  if (seen.has(file)) return found
  seen.add(file)
  const text = readFileSync(join(source, file), 'utf8')
  const head = text.slice(0, text.search(/^(?!import |[\s}/#]|$)/m))
  for (const [, specifier = ''] of head.matchAll(/^import (?!type )(?:[^'()]* from )?'([^']+)'/gm)) {
    if (specifier.startsWith('node:')) continue
    if (!specifier.startsWith('.')) found.add(specifier)
    else for (const one of packagesOf(relative(source, join(source, dirname(file), specifier)), seen)) found.add(one)
  }
  return found
}

describe('the structure that docs/architecture.md tells', () => {
  it('has a row for every place in src', () => {
    expect(files.filter((file) => placeOf(file).length < outermost(file).length)).toEqual([])
    expect([...table.keys()].filter((place) => !files.some((file) => placeOf(file) === place))).toEqual([])
  })

  it('is kept: no file imports what its row does not name', () => {
    const broken = [...imports].flatMap(([file, targets]) =>
      targets
        .filter((target) => {
          const allowed = table.get(placeOf(file)) ?? []
          return placeOf(target) !== placeOf(file) && !allowed.some((place) => lies(target, place))
        })
        .map((target) => `${file} → ${target}`),
    )
    expect(broken, 'do without the import, or add it to the row of its folder in docs/architecture.md').toEqual([])
  })

  it('leads downwards: what a row names stands above it', () => {
    const above: string[] = []
    const upwards = [...table].flatMap(([from, allowed]) => {
      const unknown = allowed.filter((to) => !above.some((place) => lies(to, place) || lies(place, to)))
      above.push(from)
      return unknown.map((to) => `${from} → ${to}`)
    })
    expect(upwards).toEqual([])
  })

  it('takes nothing but types from node:http by an import, which would load another undici', () => {
    const values = /^import (?!type )[^'()]*'node:https?'/m
    expect(files.filter((file) => values.test(readFileSync(join(source, file), 'utf8')))).toEqual([])
  })

  it('has no cycles between files', () => {
    const done = new Set<string>()
    const cycles: string[] = []
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      if (done.has(file) || path.includes(file)) return
      for (const target of imports.get(file) ?? []) visit(target, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
    expect(cycles).toEqual([])
  })

  // Each probe is a process that begins with this list.
  it('the list of commands loads no package but that which reads the command line', () => {
    expect(packagesOf('commands/program.ts')).toEqual(new Set(['commander']))
  })

  it('sees the imports it judges', () => {
    expect(packagesOf('config/load.ts')).toContain('zod')
    expect(imports.get('worker/parts.ts')).toContain('worker/claiming/poller.ts')
    expect([...imports.values()].flat().filter((target) => !files.includes(target))).toEqual([])
  })
})
