import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { startEmulator } from '../../src/emulator/emulator.ts'
import { ROOT } from '../support/documented.ts'
import { seed } from '../support/key-owners.ts'
import { INSIDE, needSystemd, SystemManager } from '../support/system-manager.ts'
import { until } from '../support/until.ts'

const page = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8')

/** What is not run: npm would fetch versions that a registry may not have, and the daemon is what the service runs. */
const NOT_RUN = /^npm install --prefix \/opt\/clink-worker clink-worker@\S+$|^clink-worker run$/
const COMMAND = /^(?:[A-Z_]+=\S+ )?(?:clink-worker|systemctl) /
const OTHERS = /^(?:export|cp|mkdir|mv) /

/** Each line of the blocks, and each command that stands in the text, in the order of the page. */
const lines = [...page.matchAll(/^```sh\n(.*?)^```$|`([^`\n]+)`/gms)].flatMap(([, block, span = '']) =>
  block === undefined ? [span].filter((one) => COMMAND.test(one)) : block.trim().split('\n'),
)

const HANDLER = `
export default async (clink, ctx) => {
  ctx.log.info('at work')
  if (clink.content === 'fails') throw new Error('connect ECONNREFUSED 127.0.0.1:5432')
  if (clink.content !== 'runs') return 'done'
  await new Promise((resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
}
`

it(
  'every command of docs/operations.md works as it stands there, in its order',
  { timeout: 400_000 },
  async (context) => {
    needSystemd(context)
    expect(lines.length).toBeGreaterThan(50)
    for (const line of lines) expect(line).toMatch(new RegExp(`${COMMAND.source}|${OTHERS.source}|${NOT_RUN.source}`))
    const emulator = await startEmulator({ seed })
    onTestFinished(async () => await emulator.close())
    await using manager = await SystemManager.start()
    // What is written there must not stay on this machine.
    await manager.must('mkdir', '/run/upper', '/run/work')
    const layers = 'lowerdir=/etc,upperdir=/run/upper,workdir=/run/work'
    await manager.must('mount', '-t', 'overlay', 'overlay', '-o', layers, '/etc')
    for (const place of ['/etc/systemd/system', '/opt', '/root'])
      await manager.must('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', place)
    const config = [
      `clink: { url: ${emulator.url} }`,
      'poll: { interval: 50ms, maxInterval: 200ms }',
      'retry: { attempts: 1, cooldown: 1h }',
      'claim: { exclusive: true }',
      'concurrency: 3',
      'shutdown: { timeout: 5s, drain: 1s }',
      'server: { enabled: false }',
      'routes: [{ name: work, use: handlers/work.js }]',
    ]
    await manager.write({
      '/etc/clink-worker/config.yaml': `${config.join('\n')}\n`,
      '/etc/clink-worker/handlers/work.js': HANDLER,
    })
    await manager.write({ '/opt/bin/clink-worker': `#!/bin/sh\nexec ${INSIDE.node} ${INSIDE.cli} "$@"\n` }, 0o755)
    const keys = { '/etc/clink-worker/clink-api-key': 'worker', '/etc/clink-worker/new-key': 'next' }
    for (const [file, key] of Object.entries(keys))
      await manager.write({ [file]: `${emulator.keys[key] ?? ''}\n` }, 0o600)

    const exports = ['export PATH=/opt/bin:$PATH']
    const shell = async (line: string) => await manager.run('sh', '-c', [...exports, line].join('\n'))
    const status = async () => JSON.parse((await shell('clink-worker status --json')).stdout)
    const letters = async (): Promise<number> => (await status()).counts.deadLetters
    /** A dead letter, or a clink that runs, for the command that names one. */
    const needed = async (line: string): Promise<string> => {
      const isLetter = line.includes('failed')
      const before = isLetter ? await letters() : 0
      const { clink_id: id } = emulator.send('ops', isLetter ? 'fails' : 'runs', { from: 'bob' })
      if (isLetter) await until(async () => (await letters()) > before, `${id} is given up`)
      else {
        const runs = ({ deliveries }: { deliveries: { id: string; state: string }[] }): boolean =>
          deliveries.some((one) => one.id === id && one.state === 'running')
        await until(async () => runs(await status()), `${id} runs`)
      }
      return id
    }
    for (const line of lines) {
      if (NOT_RUN.test(line)) continue
      if (line.startsWith('export ')) exports.push(line)
      const needs = line.includes('msg_…') || /failed (?:retry|discard)/.test(line)
      const id = needs ? await needed(line) : ''
      const ran = await shell(line.replace('msg_…', id))
      expect(ran.code, `${line}\n${ran.stdout}\n${ran.stderr}\n${await manager.log('clink-worker')}`).toBe(0)
      if (line.startsWith('mv '))
        expect((await shell('cat /etc/clink-worker/clink-api-key')).stdout).toContain(emulator.keys['next'])
      // The state is that of this worker: whoever forgets where it is would look at another one.
      if (/^clink-worker (?:status|health)/.test(line)) expect(ran.stdout, line).not.toContain('no worker listens')
      if (/^clink-worker failed (?:retry|discard)/.test(line))
        expect(ran.stdout, line).toMatch(new RegExp(`^(?:[1-9]|${id} )`, 'm'))
    }
    // What runs has the new key, and both workers that the page has stopped are away.
    expect((await shell('systemctl is-active clink-worker')).stdout.trim()).toBe('active')
    expect((await shell('systemctl is-active clink-worker@ops')).stdout.trim()).toBe('inactive')
  },
)
