import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { composedServices } from '../support/composed.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const deploy = join(root, 'deploy')
const kubernetes = join(deploy, 'kubernetes')
const names = readdirSync(kubernetes)

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: { readonly scaleTargetRef?: { readonly kind: string; readonly name: string } }
}

interface Kustomization {
  readonly resources: readonly string[]
  readonly patches?: readonly { readonly path: string }[]
  readonly configMapGenerator?: readonly {
    readonly name: string
    readonly behavior?: string
    readonly files: readonly string[]
  }[]
}

const read = (path: string): string => readFileSync(path, 'utf8')
const kustomizationOf = (name: string): Kustomization =>
  parse(read(join(kubernetes, name, 'kustomization.yaml'))) as Kustomization
const isFolder = (path: string): boolean => existsSync(join(path, 'kustomization.yaml'))

/** Files of manifests of a kustomization, and of those that it builds on. */
function filesOf(name: string): readonly string[] {
  return kustomizationOf(name).resources.flatMap((resource) => {
    const path = join(kubernetes, name, resource)
    return isFolder(path) ? filesOf(join(name, resource)) : [path]
  })
}

function generatedBy(name: string): readonly string[] {
  const { configMapGenerator = [], resources } = kustomizationOf(name)
  const bases = resources.filter((resource) => isFolder(join(kubernetes, name, resource)))
  return [...configMapGenerator.map((map) => map.name), ...bases.flatMap((base) => generatedBy(join(name, base)))]
}

const manifestsIn = (path: string): readonly Manifest[] =>
  parseAllDocuments(read(path)).map((document) => document.toJS() as Manifest)

/** Where the types of each kind are. */
const TYPES = {
  Deployment: 'kubernetes-models/apps/v1',
  StatefulSet: 'kubernetes-models/apps/v1',
  Service: 'kubernetes-models/v1',
  PodDisruptionBudget: 'kubernetes-models/policy/v1',
  ScaledObject: '@kubernetes-models/keda/keda.sh/v1alpha1',
} as const
const hasTypes = (kind: string): kind is keyof typeof TYPES => kind in TYPES

it('each manifest is what the schema of its kind says, without a field that it does not know', () => {
  const paths = [...new Set(names.flatMap(filesOf))].map((path) => join(path))
  const manifests = paths.flatMap(manifestsIn)
  expect(new Set(manifests.map(({ kind }) => kind))).toEqual(new Set(Object.keys(TYPES)))
  const lines = manifests.flatMap((manifest, index) => {
    if (!hasTypes(manifest.kind)) throw new Error(`no types for ${manifest.kind}`)
    const literal = JSON.stringify(manifest, undefined, 2)
    return [
      `import type { I${manifest.kind} as Kind${index} } from '${TYPES[manifest.kind]}'`,
      `export const manifest${index}: Kind${index} = ${literal}`,
    ]
  })
  // In here, where the types are found.
  const directory = join(root, 'node_modules/.cache/manifests')
  mkdirSync(directory, { recursive: true })
  const file = join(directory, 'manifests.ts')
  writeFileSync(file, lines.join('\n'))
  const options = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext', '--ignoreConfig']
  const { status, stdout } = spawnSync('tsc', [...options, file], { encoding: 'utf8' })
  expect(stdout).toBe('')
  expect(status).toBe(0)
})

describe.each(names)('deploy/kubernetes/%s', (name) => {
  const { configMapGenerator = [], patches = [], resources } = kustomizationOf(name)
  const folder = join(kubernetes, name)

  it('has every file that it names', () => {
    const files = [
      ...resources,
      ...patches.map(({ path }) => path),
      ...configMapGenerator.flatMap(({ files: of }) => of),
    ]
    expect(files.length).toBeGreaterThan(0)
    expect(files.filter((file) => !existsSync(join(folder, file)))).toEqual([])
  })

  it('patches and completes only what its base has', () => {
    const base = filesOf(name).flatMap(manifestsIn)
    for (const { path } of patches) {
      for (const { kind, metadata } of manifestsIn(join(folder, path))) {
        expect(base.map((one) => [one.kind, one.metadata.name])).toContainEqual([kind, metadata.name])
      }
    }
    const generated = resources
      .filter((one) => isFolder(join(folder, one)))
      .flatMap((one) => generatedBy(join(name, one)))
    for (const map of configMapGenerator) if (map.behavior === 'merge') expect(generated).toContain(map.name)
  })

  it('mounts only ConfigMaps that are made', () => {
    const used = filesOf(name).flatMap((path) => [...read(path).matchAll(/configMap:\s*\{?\s*name: ([\w-]+)/g)])
    expect(used.length).toBeGreaterThan(0)
    for (const [, map] of used) expect(generatedBy(name)).toContain(map)
  })
})

it.each(names.filter((name) => existsSync(join(kubernetes, name, 'config.yaml'))))(
  'the configuration of deploy/kubernetes/%s is a good one, and its stop fits into the time that the pod has',
  async (name) => {
    const path = join(kubernetes, name, 'config.yaml')
    const { config } = await loadConfig({ env: {}, cwd: dirname(path), file: path })
    const pods = filesOf(name).map(read).join('\n')
    const grace = Number(/terminationGracePeriodSeconds: (\d+)/.exec(pods)?.[1])
    const drain = Number(/clink-worker, drain, --wait, --timeout, (\d+)s/.exec(pods)?.[1])
    expect(grace * 1_000).toBeGreaterThan(drain * 1_000 + config.shutdown.timeout)
    const sleep = /sleep: \{ seconds: (\d+) \}/.exec(pods)?.[1]
    if (name === 'sidecar') expect(Number(sleep)).toBeGreaterThan(drain)
  },
)

it('deploy/kubernetes/fleet has the address of its database from a secret, and from nowhere else', async () => {
  const path = join(kubernetes, 'fleet/config.yaml')
  const { config } = await loadConfig({ env: {}, cwd: dirname(path), file: path })
  const pods = read(join(kubernetes, 'fleet/deployment.yaml'))
  const [, name, place = ''] = /name: (\w+), mountPath: (\S*secrets\S*),/.exec(pods) ?? []
  expect(config.state.urlFile).toBe(join(place, 'state-url'))
  expect(pods).toMatch(new RegExp(`name: ${name}, secret: \\{ secretName: clink-worker-key \\}`))
  for (const text of filesOf('fleet').map(read)) expect(text).not.toMatch(/env:|postgres(ql)?:\/\//)
})

it.each(['scale', 'fleet'])('what deploy/kubernetes/%s scales, or keeps up, is there', (name) => {
  const manifests = filesOf(name).flatMap(manifestsIn)
  const there = manifests.map(({ kind, metadata }) => `${kind} ${metadata.name}`)
  const targets = manifests.flatMap(({ spec }) => spec.scaleTargetRef ?? [])
  expect(targets.length).toBe(1)
  for (const { kind, name: target } of targets) expect(there).toContain(`${kind} ${target}`)
  // Each of these chooses pods by them.
  const labels = filesOf(name).flatMap((file) => read(file).match(/app\.kubernetes\.io\/component: \w+/g) ?? [])
  expect(new Set(labels).size).toBe(1)
})

it('deploy/compose.yaml gives a worker more time to stop than it takes, and mounts what is there', async () => {
  const { clink, worker } = composedServices()
  const [, configuration = ''] = /^\.\/(.*):\/etc\/clink-worker:ro$/.exec(worker?.volumes?.[0] ?? '') ?? []
  const path = join(deploy, configuration, 'config.yaml')
  const { config } = await loadConfig({ env: { ...worker?.environment }, cwd: dirname(path), file: path })
  expect(Number.parseInt(worker?.stop_grace_period ?? '', 10) * 1_000).toBeGreaterThan(config.shutdown.timeout)
  expect(existsSync(config.handlers.directory)).toBe(true)
  expect(config.state.url?.reveal()).toContain('@database:5432/')
  expect(existsSync(join(deploy, clink?.build?.context ?? 'missing', 'Dockerfile'))).toBe(true)
})
