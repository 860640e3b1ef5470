// `npm run test:prepare`: installs from the distribution what some tests need; they skip themselves where it is not there. As root, on Debian.
// `npm test` itself installs nothing.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'

// promtool comes with prometheus.
const packages = ['buildah', 'chromium', 'debootstrap', 'iproute2', 'postgresql', 'prometheus', 'systemd', 'util-linux']
/** A whole Debian 13, whose systemd is newer than that of Debian 12. test/support/system-manager.ts knows the place. */
const tree = '/var/lib/clink-worker-tests/debian-13'

function run(command, args) {
  console.log(`$ ${command} ${args.join(' ')}`)
  const { error, status } = spawnSync(command, args, {
    stdio: 'inherit',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  })
  if (status === 0) return
  console.error(`failed: ${error?.message ?? `exit code ${status}`}`)
  process.exit(1)
}

const isInstalled = (name) => spawnSync('dpkg', ['--status', name]).status === 0

const missing = packages.filter((name) => !isInstalled(name))
if (missing.length > 0) {
  run('apt-get', ['update'])
  run('apt-get', ['install', '--yes', '--no-install-recommends', ...missing])
}
if (!existsSync(tree)) {
  rmSync(`${tree}.new`, { recursive: true, force: true })
  mkdirSync(`${tree}.new`, { recursive: true })
  run('debootstrap', ['--variant=minbase', '--include=systemd', 'trixie', `${tree}.new`])
  renameSync(`${tree}.new`, tree)
}
console.log('what the tests need from the distribution is here')
