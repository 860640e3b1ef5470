import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { story } from '../support/record.ts'
import { until } from '../support/until.ts'
import { Site, type Command } from '../support/command.ts'
import { built } from '../support/program.ts'
import { Contained, needContainers } from '../support/contained.ts'

/** Of `shutdown.timeout` in milliseconds, with the second that whatever hangs may take. */
const TIMEOUT = 3_000
const config = 'concurrency: 2\npoll: { interval: 50ms, maxInterval: 200ms }\nshutdown: { timeout: 3s, drain: 1s }\n'

const handler = (body: string): string => `
import { appendFileSync, readFile, readFileSync } from 'node:fs'
export default async (clink, ctx) => {
  appendFileSync(process.env['NOTES'], clink.clink_id + '\\n')
  ${body}
}
`
const answers = handler(`return 'done'`)

async function said(command: Command, text: string): Promise<void> {
  await until(
    () => command.output.includes(text),
    () => `it says ${text}:\n${command.output}`,
  )
}

/** Signals and waits. The process must end by the time that it was given and the second after it. */
async function stops(command: Command): Promise<number | string | null> {
  const start = performance.now()
  command.signal('SIGTERM')
  const code = await command.exited
  // The rule says one second: the others are a busy machine's.
  expect(performance.now() - start, command.output).toBeLessThan(TIMEOUT + 3_000)
  return code
}

/** Starts the worker with what a command writes as the file of its key. */
async function keyFrom(writes: string, site: Site): Promise<Command> {
  const launch = join(site.directory, 'launch.mjs')
  const words = ['bash', '-c', `CLINK_API_KEY_FILE=<(${writes}) exec "$0" "$@"`]
  await writeFile(
    launch,
    `process.execve('/bin/bash', [...${JSON.stringify(words)}, process.execPath, ...${JSON.stringify([built, 'run'])}], process.env)`,
  )
  return site.startOf(launch, { CLINK_API_KEY: '' })
}

describe.concurrent('P8, §6: whatever hangs, a stop ends the process within its time and a second', () => {
  it('a module that never loads again', async () => {
    await using site = await Site.open({ handler: answers, config })
    const command = site.start('run')
    await said(command, 'worker.ready')
    await writeFile(
      join(site.directory, 'handlers/work.ts'),
      `console.log('loading for ever')\nawait new Promise(() => {})`,
    )
    command.signal('SIGHUP')
    await said(command, 'loading for ever')
    expect(await stops(command)).toBe(0)
  })

  it('a key file that is the pipe of a command, read once at the start', async () => {
    await using site = await Site.open({ handler: answers, config })
    const command = await keyFrom(`echo ${site.emulator.key}`, site)
    await said(command, 'worker.ready')
    command.signal('SIGHUP')
    await said(command, 'key.unusable')
    expect(command.output).toContain('is no regular file and was read once, at the start')
    expect(await stops(command)).toBe(0)
  })

  it('a command that never ends its key, before there is a worker', async () => {
    await using site = await Site.open({ handler: answers, config })
    // More than a pipe holds: it gets through only while somebody reads it.
    const command = await keyFrom('head -c 70000 /dev/zero; touch read; exec tail -f --pid=$$ /dev/null', site)
    await until(() => existsSync(join(site.directory, 'read')), 'it waits for its key')
    expect(await stops(command)).toBe(0)
  })

  it('what a handler left in the pool of threads', async () => {
    await using site = await Site.open({ handler: handler(`readFile('pipe', () => {})\nreturn 'done'`), config })
    spawnSync('mkfifo', [join(site.directory, 'pipe')])
    const [id = ''] = site.sendMany(1)
    const command = site.start('run')
    await said(command, 'clink.completed')
    expect(await stops(command)).toBe(0)
    expect(story(site.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it('somebody at the control socket who asks and does not listen', async () => {
    await using site = await Site.open({ handler: answers, config })
    const command = site.start('run')
    await said(command, 'worker.ready')
    const socket = createConnection(join(site.directory, 'state/control.sock'))
    socket.on('error', () => {})
    socket.pause()
    for (let n = 0; n < 20_000; n += 1)
      socket.write(`${JSON.stringify({ request: 'health.ready', pad: 'x'.repeat(90) })}\n`)
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(await stops(command)).toBe(0)
    socket.destroy()
  })

  it.for([
    ['runs for ever after its abort', 'for (;;);'],
    ['waits in a system call', `readFileSync('pipe')`],
  ] as const)('code of a handler that does not let go: it %s', async ([, blocks]) => {
    const code = handler(`await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))\n${blocks}`)
    await using site = await Site.open({ handler: code, config })
    spawnSync('mkfifo', [join(site.directory, 'pipe')])
    const [id = ''] = site.sendMany(1)
    const command = site.start('run')
    await until(async () => (await site.noted()).length === 1, 'the handler runs')
    expect(await stops(command)).toBe(null)
    expect(command.errors).toContain('code that does not let go of the event loop keeps the worker from stopping')
    expect(command.errors).toContain(id)

    // Nothing is lost: the next start holds on to the claim.
    writeFileSync(join(site.directory, 'handlers/work.ts'), answers)
    const next = site.start('run')
    await said(next, 'clink.completed')
    expect(story(site.emulator, id)).toEqual(['created', 'claimed', 'completed'])
  })

  it('code that does not let go of the process 1 of a container, which takes no KILL from within', async (context) => {
    needContainers(context)
    await using site = await Site.open({
      handler: handler('ctx.signal.addEventListener("abort", () => { for (;;); })\nawait new Promise(() => {})'),
      config,
    })
    site.sendMany(1)
    await using contained = new Contained(site)
    await until(async () => (await site.noted()).length === 1, 'the handler runs')
    const start = performance.now()
    contained.signal('SIGTERM')
    await contained.ended
    expect(performance.now() - start, contained.output).toBeLessThan(TIMEOUT + 3_000)
    expect(contained.output).toContain('code that does not let go of the event loop')
  })

  it('a service that answers nothing: claims are named, and the exit code is 70', async () => {
    await using site = await Site.open({ handler: handler('await new Promise(() => {})'), config })
    site.fault({ operation: 'release_clink' }, { hang: 'before' })
    const [id = ''] = site.sendMany(1)
    const command = site.start('run')
    await until(async () => (await site.noted()).length === 1, 'the handler runs')
    expect(await stops(command)).toBe(70)
    expect(command.output).toContain(`"leftBehind":["${id}"]`)
  })
})
