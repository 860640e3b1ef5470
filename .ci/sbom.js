// What the package brings with it: CycloneDX, made from package-lock.json and from nothing else. The same lock file gives the same text, on any
// machine and at any time: no time stamp, no serial number, no address of a registry. `--check` only says whether sbom.cdx.json is up to date.
import { readFileSync, writeFileSync } from 'node:fs'

const read = (name) => JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'))

/** @param lock what package-lock.json holds, version 3. */
function sbomOf(lock) {
  const { '': root, ...all } = lock.packages
  const packages = Object.entries(all).filter(([, { dev, link }]) => dev !== true && link !== true)
  const byPath = new Map(packages)
  const dependsOn = (path, { dependencies, optionalDependencies }) =>
    Object.keys({ ...dependencies, ...optionalDependencies }).flatMap((name) => {
      const found = resolve(path, name, byPath)
      return found === undefined ? [] : [refOf(found, byPath.get(found))]
    })
  const own = `${root.name}@${root.version}`
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        'bom-ref': own,
        type: 'application',
        name: root.name,
        version: root.version,
        purl: purlOf(root.name, root.version),
        licenses: licensesOf(root.license),
      },
    },
    components: packages.map(([path, entry]) => componentOf(path, entry)).toSorted(byRef('bom-ref')),
    dependencies: [
      { ref: own, dependsOn: dependsOn('', root).toSorted() },
      ...packages
        .map(([path, entry]) => ({ ref: refOf(path, entry), dependsOn: dependsOn(path, entry).toSorted() }))
        .toSorted(byRef('ref')),
    ],
  }
}

function componentOf(path, entry) {
  const name = nameOf(path)
  const [group, plain] = name.startsWith('@') ? name.split('/') : [undefined, name]
  return {
    'bom-ref': refOf(path, entry),
    type: 'library',
    ...(group === undefined ? {} : { group }),
    name: plain,
    version: entry.version,
    scope: entry.optional === true || entry.devOptional === true ? 'optional' : 'required',
    hashes: [hashOf(entry.integrity)],
    licenses: licensesOf(entry.license),
    purl: purlOf(name, entry.version),
  }
}

/** As Node looks for it: beside the package first, then further up. */
function resolve(path, name, byPath) {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/')))) {
    const candidate = from === '' ? `node_modules/${name}` : `${from}/node_modules/${name}`
    if (byPath.has(candidate)) return candidate
    if (from === '') return undefined
  }
}

const nameOf = (path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
const refOf = (path, { version }) => `${nameOf(path)}@${version}`
const purlOf = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`
const byRef = (field) => (one, other) => (one[field] < other[field] ? -1 : 1)

function licensesOf(license) {
  return [
    /^[\w.+-]+$/.test(license) ? { license: { id: license } } : { expression: license.replace(/^\((.*)\)$/, '$1') },
  ]
}

function hashOf(integrity) {
  const [algorithm, digest] = integrity.split(/-(.*)/s)
  return { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') }
}

const file = new URL('../sbom.cdx.json', import.meta.url)
const text = `${JSON.stringify(sbomOf(read('package-lock.json')), null, 2)}\n`
if (!process.argv.includes('--check')) writeFileSync(file, text)
else if (readFileSync(file, 'utf8') !== text) {
  console.error('sbom.cdx.json is not what package-lock.json says. Run: npm run lockfile')
  process.exitCode = 1
}
