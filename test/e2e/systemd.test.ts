import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { answers, times } from '../support/record.ts'
import { ServiceSite } from '../support/service-site.ts'
import { INSIDE, needSystemd, TREES } from '../support/system-manager.ts'

/** Notes what starts. What is called `slow` runs until a file says that it may end. */
const handler = `
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineHandler } from 'clink-worker'

export default defineHandler(async (clink, ctx) => {
  appendFileSync('notes', clink.content + ' ' + ctx.attempt + '\\n')
  if (clink.content === 'slow') while (!existsSync('go')) await delay(50)
  return clink.content + ' done'
})
`

/** Loaded before the worker: takes the event loop, once, as soon as there is a file of that name. */
const wedge = `
import { existsSync, rmSync } from 'node:fs'
setInterval(() => {
  if (!existsSync('wedge')) return
  rmSync('wedge')
  for (;;);
}, 50).unref()
`

const GO = '/var/lib/private/clink-worker/go'
const timeout = 120_000

async function untilIdle(site: ServiceSite): Promise<void> {
  const idle = 'Waits for clinks; since the start nothing was done'
  await site.until(async () => (await site.property('StatusText')) === idle, 'it waits')
}

async function untilCompleted(site: ServiceSite, id: string): Promise<void> {
  await site.until(() => site.emulator.clink(id)?.status === 'completed', 'the clink is completed')
}

describe.each(Object.entries(TREES))('under the systemd of %s, with all that the unit forbids', (_name, tree) => {
  it(
    'P12: it knows that the worker is up, what it does, that it reloads, and that a reload failed',
    { timeout },
    async (context) => {
      needSystemd(context, tree)
      await using site = await ServiceSite.open({ tree, handler })
      await site.systemctl('start', 'clink-worker')
      // Of Type=notify: `start` has waited for READY.
      expect(await site.property('ActiveState')).toBe('active')
      await untilIdle(site)
      // A manager that starts itself anew is away for a moment.
      await site.systemctl('daemon-reexec')

      const id = site.send('slow')
      await site.until(async () => (await site.property('StatusText')).startsWith('Works: 1 running'), 'it works')
      const pid = await site.property('MainPID')
      await site.systemctl('reload', 'clink-worker')
      await site.until(async () => (await site.log()).includes('handlers.loaded'), 'it has read all again')
      await site.manager.write({ '/opt/worker/config.yaml': 'concurency: 3\n' })
      await site.systemctl('reload', 'clink-worker')
      await site.until(
        async () => (await site.property('StatusText')).includes('reload failed'),
        'it says that it has not',
      )
      expect(await site.property('ActiveState')).toBe('active')
      expect(await site.property('MainPID')).toBe(pid)
      const errors = await site.log('--priority=err')
      expect(errors).toContain('config.failed')
      expect(errors).not.toContain('worker.started')
      await site.manager.write({ [GO]: '' })
      await untilCompleted(site, id)
      await site.systemctl('stop', 'clink-worker')
      expect(await site.property('Result')).toBe('success')
    },
  )

  it(
    'P9, P12: it ends a worker whose loop stands still, and the next one goes on with the claims',
    { timeout },
    async (context) => {
      needSystemd(context, tree)
      await using site = await ServiceSite.open({
        tree,
        handler,
        service: ['WatchdogSec=3', 'RestartSec=100ms', 'Environment=NODE_OPTIONS=--import=/opt/worker/wedge.mjs'],
        files: { '/opt/worker/wedge.mjs': wedge },
      })
      await site.systemctl('start', 'clink-worker')
      const id = site.send('slow')
      await site.until(async () => (await site.noted()).length === 1, 'it runs')
      await site.manager.write({ '/var/lib/private/clink-worker/wedge': '' })
      await site.until(async () => (await site.noted()).length === 2, 'another one runs it')
      expect(await site.property('NRestarts')).toBe('1')
      expect(await site.log()).toContain('Watchdog timeout')
      await site.manager.write({ [GO]: '' })
      await untilCompleted(site, id)
      expect(await site.noted()).toEqual(['slow 1', 'slow 2'])
      expect(times(site.emulator, id, 'claimed')).toBe(1)
    },
  )

  it(
    'P8: it gives a worker that drains the time of shutdown.timeout, though TimeoutStopSec is shorter',
    { timeout },
    async (context) => {
      needSystemd(context, tree)
      const config = 'shutdown: { timeout: 60s, drain: 50s }\n'
      await using site = await ServiceSite.open({ tree, handler, config, service: ['TimeoutStopSec=2'] })
      await site.systemctl('start', 'clink-worker')
      const id = site.send('slow')
      await site.until(async () => (await site.noted()).length === 1, 'it runs')
      await site.systemctl('stop', '--no-block', 'clink-worker')
      const from = performance.now()
      await site.until(async () => (await site.property('StatusText')) === 'Stopping: 1 running', 'it drains')
      // Three times what the unit gives it, and nobody has ended it.
      await site.until(() => performance.now() - from > 6_000, 'time passes')
      expect(await site.property('ActiveState')).toBe('deactivating')
      await site.manager.write({ [GO]: '' })
      await site.until(async () => (await site.property('ActiveState')) === 'inactive', 'it has ended')
      expect(await site.property('Result')).toBe('success')
      expect(site.emulator.clink(id)).toMatchObject({ status: 'completed' })
      expect(await site.log()).not.toContain('worker.aborting')
    },
  )

  it(
    'P9: after a kill -9 the next one holds on to the claims, though it may not see the boot id',
    { timeout },
    async (context) => {
      needSystemd(context, tree)
      const config = 'claim: { exclusive: false }\n'
      await using site = await ServiceSite.open({ tree, handler, config, service: ['RestartSec=100ms'] })
      await site.systemctl('start', 'clink-worker')
      const ids = [site.send('slow'), site.send('slow')]
      await site.until(async () => (await site.noted()).length === 2, 'both run')
      await site.systemctl('kill', '--signal=KILL', '--kill-who=main', 'clink-worker')
      await site.until(async () => (await site.noted()).length === 4, 'both run again')
      await site.manager.write({ [GO]: '' })
      for (const id of ids) {
        await untilCompleted(site, id)
        expect(times(site.emulator, id, 'claimed')).toBe(1)
      }
      expect([...(await site.noted())].sort()).toEqual(['slow 1', 'slow 1', 'slow 2', 'slow 2'])
    },
  )
})

describe('under the systemd of this machine', () => {
  it(
    'P3, P13: a program of a handler works, cannot speak for the worker, and leaves nothing behind',
    { timeout },
    async (context) => {
      needSystemd(context)
      const task = `${INSIDE.node} ${INSIDE.cli} task`
      const script = [
        `${task} log 'said by the program'`,
        'setsid sleep 1000 & echo $! > left',
        'touch /etc/mine 2>/dev/null || echo cannot write to the system',
        '[ "$(id -u)" != 0 ] && echo is not root',
        'echo manager=$NOTIFY_SOCKET$WATCHDOG_USEC$CREDENTIALS_DIRECTORY',
      ].join('\n')
      const config = `routes: [{ name: program, exec: { cwd: /var/lib/clink-worker, command: [sh, -c, ${JSON.stringify(script)}] } }]\n`
      await using site = await ServiceSite.open({ handler, config })
      await site.systemctl('start', 'clink-worker')
      const id = site.send('run')
      await untilCompleted(site, id)
      expect(
        answers(site.emulator)
          .map(({ content }) => content)
          .join(),
      ).toContain('cannot write to the system\nis not root\nmanager=')
      expect(await site.log()).toContain('said by the program')
      const left = (await readFile(site.manager.path('/var/lib/private/clink-worker/left'), 'utf8')).trim()
      expect((await site.manager.run('kill', '-0', left)).code).not.toBe(0)
    },
  )

  it(
    'it can be stopped while it starts, and a configuration that is wrong is not started again',
    { timeout },
    async (context) => {
      needSystemd(context)
      await using site = await ServiceSite.open({
        handler: 'await new Promise((resolve) => setTimeout(resolve, 1e6))\n',
      })
      await site.systemctl('start', '--no-block', 'clink-worker')
      await site.until(async () => (await site.property('MainPID')) !== '0', 'it has begun')
      await site.systemctl('stop', 'clink-worker')
      expect(await site.property('Result')).toBe('success')
      await site.manager.write({ '/opt/worker/config.yaml': 'concurency: 3\n' })
      expect((await site.manager.run('systemctl', 'start', 'clink-worker')).code).not.toBe(0)
      expect(await site.property('ActiveState')).toBe('failed')
      expect(await site.property('ExecMainStatus')).toBe('78')
      expect(await site.log('--priority=err')).toContain('concurency')
    },
  )

  it('it may work the inbox empty and end, as for a timer', { timeout }, async (context) => {
    needSystemd(context)
    const start = `ExecStart=${INSIDE.node} ${INSIDE.cli} run --once --config /opt/worker/config.yaml`
    await using site = await ServiceSite.open({ handler, service: ['ExecStart=', start] })
    const id = site.send('quick')
    await site.systemctl('start', 'clink-worker')
    await site.until(async () => (await site.property('ActiveState')) === 'inactive', 'it has ended')
    expect(await site.property('Result')).toBe('success')
    expect(site.emulator.clink(id)?.status).toBe('completed')
  })

  it('without the add-on a program speaks for it', { timeout }, async (context) => {
    needSystemd(context)
    const config = 'shutdown: { timeout: 60s, drain: 50s }\n'
    const service = ['NotifyAccess=all', 'WatchdogSec=8', 'TimeoutStopSec=3']
    await using site = await ServiceSite.open({ handler, config, service })
    const addOn = `${INSIDE.project}/node_modules/node-unix-socket`
    await site.manager.must('mount', '-t', 'tmpfs', 'tmpfs', addOn)
    await site.systemctl('start', 'clink-worker')
    await untilIdle(site)
    const id = site.send('slow')
    await site.until(async () => (await site.property('StatusText')).startsWith('Works: 1 running'), 'it works')
    await site.systemctl('reload', 'clink-worker')
    await site.until(async () => (await site.log()).includes('handlers.loaded'), 'it has read all again')
    await site.systemctl('stop', '--no-block', 'clink-worker')
    const from = performance.now()
    await site.until(() => performance.now() - from > 6_000, 'time passes')
    expect(await site.property('ActiveState')).toBe('deactivating')
    await site.manager.write({ [GO]: '' })
    await site.until(async () => (await site.property('ActiveState')) === 'inactive', 'it has ended')
    expect(await site.property('Result')).toBe('success')
    expect(await site.property('NRestarts')).toBe('0')
    expect(site.emulator.clink(id)?.status).toBe('completed')
  })
})
