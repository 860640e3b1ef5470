import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { Site, type Command } from '../support/command.ts'
import { built } from '../support/program.ts'
import { ROOT } from '../support/documented.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const commands = commandsOf('docs/fleet.md')
/** What docs/commands.md says of fleets. */
const others = commandsOf('docs/commands.md').filter((line) => line.includes(' --fleet'))
const handler = `
import { defineHandler } from 'clink-worker'
export default defineHandler(async ({ content }) => {
  if (content === 'fails') throw new Error('it fails')
  return 'done'
})
`
const config = 'retry: { attempts: 1 }\nserver: { enabled: false }\nlog: { format: json }\n'

function commandsOf(file: string): string[] {
  const blocks = readFileSync(join(ROOT, file), 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)
  return [...blocks].flatMap(([, block = '']) => block.trim().split('\n'))
}

const cluster = clusterOfFile()

it('every command of docs/fleet.md works as it stands there, from a worker alone to a fleet and its backup', async (context) => {
  needPostgres(context)
  await using site = await Site.open({ handler, config })
  const admin = await cluster.database()
  // This machine's server is reached by its socket, and asks for no certificate.
  const real = (text: string): string =>
    text
      .replaceAll(
        /(postgresql:\/\/[^@]*@)db\.example\.com:5432\/clink\?sslmode=verify-full/g,
        `$1/clink?host=${cluster.directory}`,
      )
      .replaceAll('/root/', `${site.directory}/`)
      .replace(/^clink-worker /, `'${process.execPath}' '${built}' `)
  const env: Record<string, string> = {
    ...site.env,
    ADMIN_URL: admin,
    STATE_DIRECTORY: join(site.directory, 'state-a'),
  }
  const ran: string[] = []
  let worker: Command | undefined
  const begin = async (): Promise<void> => {
    worker = site.startWith(env, 'run')
    await until(
      () => worker?.output.includes('"worker.ready"') === true,
      () => `ready:\n${worker?.output}`,
    )
  }
  const run = async (line: string): Promise<string> => {
    const [, name, value] = /^export (\w+)="(.*)"$/.exec(real(line)) ?? []
    if (name !== undefined && value !== undefined) env[name] = value
    else if (line === 'clink-worker run') await begin()
    else {
      const { stdout } = await promisify(execFile)('sh', ['-c', real(line)], {
        cwd: site.directory,
        env: { PATH: process.env['PATH'], ...env },
      })
      ran.push(stdout)
    }
    return ran.at(-1) ?? ''
  }
  for (const line of commands) {
    if (line.startsWith('clink-worker state backup')) {
      // From here on a worker goes over that has remembered alone.
      await worker?.close()
      delete env['CLINK_STATE_URL']
      env['STATE_DIRECTORY'] = join(site.directory, 'state-b')
      await begin()
      site.emulator.send('ops', 'fails', { from: 'bob' })
      await until(
        () => worker?.output.includes('clink.deadLettered') === true,
        () => `it fails:\n${worker?.output}`,
      )
    }
    if (line.startsWith('pg_restore')) await worker?.close()
    const said = await run(line)
    if (line === 'clink-worker check --online') expect(said).toMatch(/store +.*answers/)
    if (line === 'clink-worker status --fleet') {
      // It says what it does a second after it was there for the first time.
      await until(async () => / ready /.test(await run(line)), 'the one that has gone over is ready')
      expect(others).toHaveLength(3)
      for (const other of others) await run(other)
    }
    if (line === 'clink-worker failed list') expect(said).toContain('it fails')
  }
  expect(commands.length).toBeGreaterThan(12)
  // Another member knows what the one alone had given up, and so does the copy.
  env['STATE_DIRECTORY'] = join(site.directory, 'state-c')
  await begin()
  await until(async () => (await run('clink-worker failed list')).includes('it fails'), 'the third knows of it')
}, 240_000)
