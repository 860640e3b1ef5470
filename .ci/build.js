// Builds dist/ from src/. Runs at `npm ci` (prepare) and by `npm run build`.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = new URL('..', import.meta.url)
rmSync(new URL('dist', root), { recursive: true, force: true })
const compiled = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (compiled.status !== 0) process.exit(compiled.status ?? 1)
cpSync(new URL('src/dashboard', root), new URL('dist/dashboard', root), { recursive: true })
// Whatever the umask is: the same sources give the same package.
for (const entry of readdirSync(new URL('dist', root), { recursive: true, withFileTypes: true }))
  chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644)
chmodSync(new URL('dist/cli.js', root), 0o755)
