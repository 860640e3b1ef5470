import { describe, expect, it } from 'vitest'
import { Site } from '../support/command.ts'
import { INSIDE, needSystemd, SystemManager } from '../support/system-manager.ts'
import { until } from '../support/until.ts'

const timeout = 120_000
const clinkWorker = [INSIDE.node, INSIDE.cli]
const FILE = '/etc/systemd/system/clink-worker.service'
const handler =
  "import { appendFileSync } from 'node:fs'\nexport default (clink) => appendFileSync('notes', clink.content)\n"

async function configure(manager: SystemManager, directory: string, url: string, key: string): Promise<void> {
  await manager.write({
    [`${directory}/config.yaml`]: `clink: { url: ${url} }\npoll: { interval: 100ms }\nserver: { enabled: false }\n`,
    [`${directory}/handlers/work.js`]: handler,
  })
  await manager.write({ [`${directory}/clink-api-key`]: `${key}\n` }, 0o600)
}

/** What is written below /etc stays in there. */
async function startFresh(): Promise<SystemManager> {
  const manager = await SystemManager.start()
  await manager.must('mkdir', '/run/upper', '/run/work')
  await manager.must('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/opt')
  return manager
}

describe('clink-worker service, by a real systemd', () => {
  it(
    'installs a service that works with the paths of this installation, shows it, and removes it',
    { timeout },
    async (context) => {
      needSystemd(context)
      await using site = await Site.open({ config: '', handler: '' })
      const { emulator } = site
      await using manager = await startFresh()
      await configure(manager, '/opt/worker', emulator.url, emulator.key)
      const service = async (...args: readonly string[]) => await manager.run(...clinkWorker, 'service', ...args)

      expect(await service('status')).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('"clink-worker service install" makes it'),
      })
      expect(await service('uninstall')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('nothing to uninstall'),
      })
      const installed = await service('install', '--config', '/opt/worker/config.yaml')
      expect(installed).toMatchObject({ code: 0, stderr: '' })
      expect(installed.stdout).toContain(`wrote ${FILE}`)
      expect(installed.stdout).toContain('systemctl enable --now clink-worker')
      expect(installed.stdout).not.toContain('touch')
      expect((await service('install', '--config', '/opt/worker/config.yaml')).stdout).toContain('is as it has to be')
      expect((await service('status')).stdout).toContain('not started: disabled')
      expect(await service('status')).toMatchObject({ code: 1 })

      await manager.must('systemctl', 'enable', '--now', 'clink-worker')
      const { clink_id: id } = emulator.send('ops', 'hello', { from: 'bob' })
      await until(() => emulator.clink(id)?.status === 'completed', 'the clink is worked')
      const check = await manager.run(...clinkWorker, 'check', '--online', '--config', '/opt/worker/config.yaml')
      expect(check.stdout).toMatch(/^stop +ok .*systemd kills clink-worker\.service after 40\.0s, and later while/m)
      const status = await service('status', '--json')
      expect(status.code).toBe(0)
      expect(JSON.parse(status.stdout)).toMatchObject({ active: 'active', enabled: 'enabled', unitFile: 'stale' })

      // Whoever changes it is asked first.
      await manager.must('sh', '-c', `echo '# mine' >> ${FILE}`)
      const changed = await service('install')
      expect(changed).toMatchObject({ code: 78, stderr: expect.stringContaining('was changed since it was written') })
      expect(await service('uninstall')).toMatchObject({ code: 78 })
      expect((await service('install', '--force', '--config', '/opt/worker/config.yaml')).stdout).toContain(
        `${FILE}.old`,
      )
      await manager.write({ [FILE]: '[Service]\nExecStart=/bin/true\n' })
      expect(await service('install')).toMatchObject({
        code: 78,
        stderr: expect.stringContaining('was not written by this command'),
      })
      await manager.must('mv', `${FILE}.old`, FILE)

      const removed = await service('uninstall', '--force')
      expect(removed).toMatchObject({ code: 0, stderr: '' })
      expect(removed.stdout).toContain(`removed ${FILE}`)
      expect(removed.stdout).toContain('/var/lib/clink-worker')
      expect((await manager.run('systemctl', 'is-active', 'clink-worker')).stdout.trim()).toBe('inactive')
    },
  )

  it('makes several services, each with a user and a state of its own', { timeout }, async (context) => {
    needSystemd(context)
    await using site = await Site.open({ config: '', handler: '' })
    const { emulator } = site
    await using manager = await startFresh()
    // The directory is fixed: what is written to /etc must not stay on this machine.
    await manager.must(
      'mount',
      '-t',
      'overlay',
      'overlay',
      '-o',
      'lowerdir=/etc,upperdir=/run/upper,workdir=/run/work',
      '/etc',
    )
    await manager.must('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/etc/systemd/system')
    const service = async (...args: readonly string[]) => await manager.run(...clinkWorker, 'service', ...args)
    for (const name of ['ops', 'support']) {
      await configure(manager, `/etc/clink-worker/${name}`, emulator.url, emulator.key)
      expect(await service('install', name)).toMatchObject({ code: 0, stderr: '' })
      await manager.must('systemctl', 'start', `clink-worker@${name}`)
      const { stdout } = await manager.run('stat', '--format=%U', `/var/lib/private/clink-worker-${name}/owner`)
      const uid = (await manager.must('stat', '--format=%u', `/var/lib/private/clink-worker-${name}/owner`)).trim()
      const pid = await manager.property(`clink-worker@${name}`, 'MainPID')
      expect((await manager.must('stat', '--format=%u', `/proc/${pid}`)).trim(), stdout).toBe(uid)
      expect((await service('status', name)).stdout).toContain(`/var/lib/clink-worker-${name}`)
    }
    const owners = await manager.must(
      'stat',
      '--format=%u',
      ...['ops', 'support'].map((name) => `/var/lib/private/clink-worker-${name}`),
    )
    expect(new Set(owners.trim().split('\n')).size).toBe(2)

    for (const [act, code] of [
      ['status', 1],
      ['uninstall', 64],
    ] as const) {
      const unknown = await service(act, 'oops')
      expect(unknown).toMatchObject({ code, stdout: '' })
      expect(unknown.stderr).toContain('there is no service clink-worker@oops.service')
      expect(unknown.stderr).toContain('clink-worker@ops.service')
    }
    const kept = await service('uninstall', 'ops')
    expect(kept.stdout).toContain('it is also that of clink-worker@support.service')
    expect((await manager.run('systemctl', 'is-active', 'clink-worker@support')).stdout.trim()).toBe('active')
    expect((await service('uninstall', 'support')).stdout).toContain(
      'removed /etc/systemd/system/clink-worker@.service',
    )
  })

  it(
    'says what each service lacks: the add-on, a readable file, a place that it can see',
    { timeout },
    async (context) => {
      needSystemd(context)
      await using manager = await startFresh()
      const service = async (...args: readonly string[]) => await manager.run(...clinkWorker, 'service', ...args)
      await manager.must('mount', '-t', 'tmpfs', 'tmpfs', `${INSIDE.project}/node_modules/node-unix-socket`)
      await manager.write({ '/opt/worker/config.yaml': '' }, 0o600)
      const installed = await service('install', '--config', '/opt/worker/config.yaml')
      expect(installed.code).toBe(0)
      expect(installed.stderr).toContain('NotifyAccess=all')
      expect(installed.stderr).toContain('chmod o+rX /opt/worker/config.yaml')
      expect(await manager.must('cat', FILE)).toContain('\nNotifyAccess=all\n')
      const hidden = await service('install', '--config', '/root/config.yaml')
      expect(hidden).toMatchObject({
        code: 64,
        stderr: expect.stringContaining('/root/config.yaml is hidden from services'),
      })
    },
  )
})
