// Before the package is packed: npm packs files with the modes that they have, which depend on the umask of whoever checked them out or built
// them. The same files have to give the same package everywhere.
import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'

const root = new URL('..', import.meta.url)
const { bin } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
const programs = Object.values(bin).map((path) => path.replace(/^\.\//, ''))
const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
  cwd: root,
  encoding: 'utf8',
})
const [{ files }] = Object.values(JSON.parse(stdout))
for (const { path } of files) chmodSync(new URL(path, root), programs.includes(path) ? 0o755 : 0o644)
