import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')

interface Locked {
  readonly version: string
  readonly license?: string
  readonly integrity?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

const text = read('sbom.cdx.json')
const sbom: {
  metadata: { component: { 'bom-ref': string; version: string } }
  components: {
    'bom-ref': string
    purl: string
    scope: string
    hashes: { alg: string; content: string }[]
    licenses: unknown[]
  }[]
  dependencies: { ref: string; dependsOn: string[] }[]
} = JSON.parse(text)
const { packages }: { packages: Readonly<Record<string, Locked>> } = JSON.parse(read('package-lock.json'))

/** Where Node finds what a package of the lock file asks for. */
function found(from: string, name: string): string | undefined {
  const places = from.split(/\/?node_modules\//).map((_, index, parts) => {
    const above = parts.slice(0, parts.length - index).filter((part) => part !== '')
    return above.map((part) => `node_modules/${part}/`).join('')
  })
  return [...places, ''].map((place) => `${place}node_modules/${name}`).find((path) => packages[path] !== undefined)
}

/** All that an installation without development packages may hold, walked from the package itself. */
const shipped = new Set<string>()
const edges = new Map<string, string[]>()
function walk(path: string): void {
  const { dependencies, optionalDependencies } = packages[path] ?? { version: '' }
  const next = Object.keys({ ...dependencies, ...optionalDependencies }).flatMap((name) => found(path, name) ?? [])
  edges.set(path, next)
  for (const one of next) {
    if (shipped.has(one)) continue
    shipped.add(one)
    walk(one)
  }
}
walk('')

const nameOf = (path: string): string => path.split('node_modules/').at(-1) ?? ''
const refOf = (path: string): string =>
  path === '' ? sbom.metadata.component['bom-ref'] : `${nameOf(path)}@${packages[path]?.version ?? ''}`

describe('the bill of materials in the package is what the lock file says', () => {
  it('each package that comes with it, by version and hash, and no other', () => {
    expect(shipped.size).toBeGreaterThan(40)
    expect(sbom.components.map((one) => one['bom-ref']).toSorted()).toEqual([...shipped].map(refOf).toSorted())
    for (const path of shipped) {
      const { integrity = '', version } = packages[path] ?? { version: '' }
      const [component] = sbom.components.filter((one) => one['bom-ref'] === refOf(path))
      const hash = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')
      expect(component?.hashes).toEqual([{ alg: 'SHA-512', content: hash }])
      expect(component?.purl).toBe(`pkg:npm/${nameOf(path).replace('@', '%40')}@${version}`)
      expect(component?.licenses).toHaveLength(1)
    }
  })

  it('who depends on whom', () => {
    const told = new Map(sbom.dependencies.map(({ dependsOn, ref }) => [ref, dependsOn]))
    expect(told.size).toBe(shipped.size + 1)
    for (const [path, next] of edges) expect(told.get(refOf(path)), path).toEqual(next.map(refOf).toSorted())
  })

  it('without time, serial number, place or registry', () => {
    expect(text).not.toMatch(/timestamp|serialNumber|resolved|registry|node_modules|file:|\/home\/|\/work\//)
    expect([...text.matchAll(/https?:\/\/[^"]*/g)].map(([url]) => url)).toEqual([
      'http://cyclonedx.org/schema/bom-1.6.schema.json',
    ])
    const { version }: { version: string } = JSON.parse(read('package.json'))
    expect(sbom.metadata.component.version).toBe(version)
  })
})
