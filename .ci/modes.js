// Before the package is packed: npm packs files with the modes that they have, which depend on the umask of whoever checked them out or built
// them. The same files have to give the same package everywhere; which of them are programs is no matter of the umask.
import { spawnSync } from 'node:child_process'
import { chmodSync, statSync } from 'node:fs'

const root = new URL('..', import.meta.url)
const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  cwd: root,
  encoding: 'utf8',
})
const [{ files }] = Object.values(JSON.parse(stdout))
for (const { path } of files) {
  const file = new URL(path, root)
  chmodSync(file, (statSync(file).mode & 0o100) === 0 ? 0o644 : 0o755)
}
