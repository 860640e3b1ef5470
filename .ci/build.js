// Builds dist/ from src/. Runs at `npm ci` (prepare) and by `npm run build`.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, rmSync } from 'node:fs'

const root = new URL('..', import.meta.url)
rmSync(new URL('dist', root), { recursive: true, force: true })
const compiled = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (compiled.status !== 0) process.exit(compiled.status ?? 1)
cpSync(new URL('src/dashboard', root), new URL('dist/dashboard', root), { recursive: true })
chmodSync(new URL('dist/cli.js', root), 0o755)
