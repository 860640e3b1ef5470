import { describe, expect, it, onTestFinished } from 'vitest'
import { startEmulator } from '../../src/emulator/emulator.ts'
import { INSIDE, needSystemd, SystemManager, TREES } from '../support/system-manager.ts'
import { until } from '../support/until.ts'

const HOME = '/var/lib/ops'
const RUNTIME = '/run/user/4242'
/** As systemd's own user@.service, for a user that has not logged in. */
const MANAGER = `
[Service]
User=ops
Type=notify
Environment=HOME=${HOME} XDG_RUNTIME_DIR=${RUNTIME}
ExecStart=/usr/lib/systemd/systemd --user --unit=tests.target
Delegate=yes
KillMode=mixed
`

describe.each(Object.entries(TREES))('under the systemd of %s', (_name, tree) => {
  it('the service of one user is installed, works and is removed', { timeout: 180_000 }, async (context) => {
    needSystemd(context, tree)
    const emulator = await startEmulator()
    onTestFinished(async () => await emulator.close())
    await using manager = await SystemManager.start(tree)
    const must = async (line: string) => await manager.must('sh', '-c', line)
    await must('mkdir /run/upper /run/work')
    await must('mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc')
    await must('mount -t tmpfs -o mode=755 tmpfs /etc/systemd/system')
    await must('mount -t tmpfs -o mode=755 tmpfs /usr/lib/systemd/user')
    await manager.write({
      '/etc/systemd/system/ops.service': MANAGER,
      '/usr/lib/systemd/user/tests.target': '[Unit]\nDefaultDependencies=no\n',
      '/usr/lib/systemd/user/default.target': '[Unit]\nDefaultDependencies=no\n',
      '/usr/lib/systemd/user/basic.target': '[Unit]\nDefaultDependencies=no\n',
      '/usr/lib/systemd/user/shutdown.target': '[Unit]\nDefaultDependencies=no\n',
      [`${HOME}/.config/clink-worker/config.yaml`]: `clink: { url: ${emulator.url} }\npoll: { interval: 100ms }\nserver: { enabled: false }\n`,
      [`${HOME}/.config/clink-worker/handlers/work.js`]: "export default () => 'done'\n",
    })
    await manager.write({ [`${HOME}/.config/clink-worker/clink-api-key`]: `${emulator.key}\n` }, 0o600)
    await must(`echo 'ops:x:4242:4242::${HOME}:/bin/sh' >> /etc/passwd; echo 'ops:x:4242:' >> /etc/group`)
    await must(`mkdir -p ${RUNTIME}; chmod 700 ${RUNTIME}; chown -R 4242:4242 ${HOME} ${RUNTIME}`)
    await must('systemctl daemon-reload; systemctl start ops')
    const env = ['env', '-C', HOME, `HOME=${HOME}`, `XDG_RUNTIME_DIR=${RUNTIME}`, 'PATH=/usr/bin:/bin']
    const as = ['setpriv', '--reuid=4242', '--regid=4242', '--clear-groups', '--', ...env]
    const own = async (...args: readonly string[]) => await manager.run(...as, ...args)
    const service = async (...args: readonly string[]) =>
      await own(INSIDE.node, INSIDE.cli, 'service', ...args, '--user')

    expect(await service('install')).toMatchObject({ code: 0, stderr: '' })
    expect(await own('systemctl', '--user', 'enable', '--now', 'clink-worker')).toMatchObject({ code: 0 })
    const { clink_id: id } = emulator.send('ops', 'hello', { from: 'bob' })
    await until(() => emulator.clink(id)?.status === 'completed', 'the clink is worked')
    const status = await service('status', '--json')
    expect(JSON.parse(status.stdout)).toMatchObject({ active: 'active', enabled: 'enabled', unitFile: 'current' })
    expect((await own('systemctl', '--user', 'reload', 'clink-worker')).code).toBe(0)
    expect(await service('uninstall')).toMatchObject({ code: 0, stderr: '' })
    expect((await own('systemctl', '--user', 'is-active', 'clink-worker')).stdout.trim()).toBe('inactive')
  })
})
