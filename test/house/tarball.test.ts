import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, cpSync, mkdirSync, readFileSync, statSync, symlinkSync, utimesSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { TempDir } from '../support/temp-dir.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const names = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  .toString()
  .split('\0')
  .filter((name) => name !== '' && !name.startsWith('test/') && !name.startsWith('bench/'))

/** A year later. */
const LATER = `const Old = Date, year = 3e10
globalThis.Date = class extends Old {
  constructor(...given) { given.length === 0 ? super(Old.now() + year) : super(...given) }
  static now() { return Old.now() + year }
}`

const isProgram = (name: string): boolean => (statSync(join(root, name)).mode & 0o100) !== 0

interface Packed {
  readonly directory: string
  /** Of whoever checks out, builds and packs. */
  readonly umask: string
  readonly env?: Readonly<Record<string, string>>
}

/** Checks the sources out anew, builds and packs them. @returns the package. */
function pack({ directory, env = {}, umask }: Packed): Buffer {
  mkdirSync(directory, { recursive: true })
  for (const name of names) {
    cpSync(join(root, name), join(directory, name))
    // As git makes a file.
    const mode = isProgram(name) ? 0o777 : 0o666
    chmodSync(join(directory, name), mode & ~Number.parseInt(umask, 8))
    utimesSync(join(directory, name), 1, umask === '022' ? 1 : 1_000_000_000)
  }
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  const path = [join(root, 'node_modules/.bin'), dirname(process.execPath), process.env['PATH']].join(delimiter)
  const { status, stderr, stdout } = spawnSync('sh', ['-c', `umask ${umask}; npm pack --silent`], {
    cwd: directory,
    encoding: 'utf8',
    env: { ...process.env, PATH: path, ...env },
  })
  expect(status, stderr).toBe(0)
  return readFileSync(join(directory, stdout.trim().split('\n').at(-1) ?? ''))
}

it(
  'the same sources give the same package, byte by byte: elsewhere, at another time, under another umask',
  { timeout: 300_000 },
  () => {
    using dir = new TempDir()
    const one = pack({ directory: join(dir.path, 'one'), umask: '022' })
    const other = pack({
      directory: join(dir.path, 'some/where/else'),
      umask: '077',
      env: {
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(LATER)}`,
        TZ: 'Asia/Kathmandu',
        LC_ALL: 'C',
      },
    })
    expect(createHash('sha256').update(other).digest('hex')).toBe(createHash('sha256').update(one).digest('hex'))
    const held = gunzipSync(one).toString('latin1')
    expect(held).toContain('package/sbom.cdx.json')
    const programs = names.filter((name) => name.startsWith('docs/examples/') && isProgram(name))
    expect(programs).not.toEqual([])
    for (const name of programs) {
      const header = held.indexOf(`package/${name}\0`)
      expect(held.slice(header + 100, header + 106), name).toBe('000755')
    }
    // What it was built from is nowhere told.
    for (const place of [dir.path, root]) expect(held).not.toContain(place)
  },
)
