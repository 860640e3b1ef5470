// Builds the container image with buildah or docker, whichever is there, and prints its size. Run: npm run image -- [--base IMAGE]
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const { values } = parseArgs({
  options: {
    /** An image with Node and npm. Default: the one that the Dockerfile names. */
    base: { type: 'string' },
    tag: { type: 'string', default: `clink-worker:${version}` },
    /** Settings of npm for the build alone, where packages come from another registry. */
    npmrc: { type: 'string' },
    /** Where buildah keeps its images, in place of the machine's. */
    storage: { type: 'string' },
  },
})

function run(program, args, stdio) {
  const { error, status, stdout } = spawnSync(program, args, { cwd: root, encoding: 'utf8', stdio })
  if (error !== undefined || status !== 0)
    throw new Error(`${program} ${args[0]}: ${error?.message ?? `exit ${status}`}`)
  return stdout
}

const has = (program) => spawnSync(program, ['--version']).status === 0
const isBuildah = has('buildah')
const program = isBuildah ? 'buildah' : 'docker'
const { base, npmrc, storage, tag } = values
const place =
  isBuildah && storage !== undefined
    ? ['--root', `${storage}/root`, '--runroot', `${storage}/run`, '--storage-driver', 'vfs']
    : []
const build = [
  ...place,
  'build',
  // HEALTHCHECK is none of OCI's.
  ...(isBuildah ? ['--format', 'docker', '--isolation', 'chroot'] : []),
  ...(base === undefined ? [] : ['--build-arg', `BASE=${base}`]),
  ...(npmrc === undefined ? [] : ['--secret', `id=npmrc,src=${npmrc}`]),
  '--build-arg',
  `VERSION=${version}`,
  '--tag',
  tag,
  '.',
]
run(program, build, 'inherit')
console.log(`${tag}: ${run(program, [...place, 'images', '--format', '{{.Size}}', tag]).trim()}`)
