import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
// The Node that runs the tests comes first, as it does under `npm test`; the machine's own may be too old.
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}` }
const run = async (folder: string, command: string, ...args: string[]): Promise<string> =>
  (await promisify(execFile)(command, args, { cwd: folder, env })).stdout

const HANDLER = `import { defineHandler } from 'clink-worker'

export default defineHandler({
  match: { content: /(?<first>\\w+)/ },
  timeout: '1m',
  async handle(clink, ctx) {
    const text: string = clink.content
    const group: string | null | undefined = clink.group_slug
    const signal: AbortSignal = ctx.signal
    const attempt: number = ctx.attempt
    if (signal.aborted) return ctx.retryAfter('5s', 'stopping')
    const me = await ctx.api.getMyPermissions().catch(() => undefined)
    ctx.log.info('handled', { group, attempt, scope: me?.scope_id })
    return \`\${ctx.match.groups['first'] ?? ''}: \${text.length}\`
  },
})
`

const WRONG = `import { defineHandler } from 'clink-worker'
export const field = defineHandler({ handle: (clink) => clink.no_such_field })
export const timeout = defineHandler({ timeout: 'ten minutes', handle: () => 'done' })
`

const TSCONFIG = {
  compilerOptions: {
    strict: true,
    module: 'nodenext',
    target: 'es2024',
    noEmit: true,
    types: [],
    lib: ['es2024', 'dom'],
  },
  include: ['handlers'],
}

describe('the package, installed by a stranger into an empty folder', () => {
  let folder = ''

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clink-worker-package-'))
    const packed = await run(root, 'npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', folder)
    await run(folder, 'npm', 'init', '-y')
    await run(folder, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, packed.trim()))
    await mkdir(join(folder, 'handlers'))
    await writeFile(join(folder, 'handlers/hello.ts'), HANDLER)
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  }, 120_000)

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it("works a clink with the stranger's own handler", async () => {
    const dev = spawn('npx', ['clink-worker', 'dev', '--json'], {
      cwd: folder,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const pid = dev.pid ?? 0
    let output = ''
    try {
      await new Promise<void>((resolve, reject) => {
        const read = (chunk: Buffer): void => {
          output += chunk.toString()
          if (/"event":"clink\.completed".*"handler":"hello"/.test(output)) resolve()
        }
        dev.stdout.on('data', read)
        dev.stderr.on('data', read)
        dev.on('exit', () => reject(new Error(`dev ended before it completed a clink:\n${output}`)))
      })
    } finally {
      process.kill(-pid, 'SIGTERM')
      await new Promise((resolve) => dev.once('close', resolve))
    }
    expect(output).toContain('clink.completed')
  }, 60_000)

  it('gives the handler full types, and says where it is wrong', async () => {
    const tsc = join(root, 'node_modules/.bin/tsc')
    await expect(run(folder, tsc, '-p', '.')).resolves.toBe('')
    await writeFile(join(folder, 'handlers/_wrong.ts'), WRONG)
    const wrong = await run(folder, tsc, '-p', '.').catch((error: { stdout: string }) => error.stdout)
    expect(wrong).toContain('no_such_field')
    expect(wrong).toContain('ten minutes')
    await rm(join(folder, 'handlers/_wrong.ts'))
  }, 60_000)

  it('has each module that Node itself is to load, since the build keeps only those by their names', async () => {
    const sources = (await readdir(join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'))
    const texts = await Promise.all(sources.map(async (name) => await readFile(join(root, 'src', name), 'utf8')))
    const named = texts.flatMap((text) => [...text.matchAll(/\bentryModule\('([^']+)'\)/g)].map(([, name]) => name))
    expect(named.length).toBeGreaterThan(3)
    const dist = join(folder, 'node_modules/clink-worker/dist')
    for (const name of named) expect(existsSync(join(dist, `${name}.js`)), name).toBe(true)
  })

  it('ships what its configuration file names', async () => {
    const installed = join(folder, 'node_modules/clink-worker')
    const schema: unknown = JSON.parse(await readFile(join(installed, 'schema/config.schema.json'), 'utf8'))
    expect(schema).toMatchObject({ type: 'object' })
    expect(await readFile(join(installed, 'config.example.yaml'), 'utf8')).toContain('config.schema.json')
  })
})
