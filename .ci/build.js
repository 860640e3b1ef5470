// Builds dist/ from src/. Runs at `npm ci` (prepare) and by `npm run build`.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
/** What Node itself loads: each keeps its place. All else is put together in few files, of which each is found and read faster than many. */
const entries = [
  'cli',
  'index',
  'testing/index',
  'handlers/loading-thread',
  'handlers/pattern-thread',
  'runners/thread/entry',
]

// For tests of what is being written: `--no-types` checks no types, and leaves their declarations as they are.
const isTyped = !process.argv.includes('--no-types')
rmSync(isTyped ? dist : join(dist, 'chunks'), { recursive: true, force: true })
const typed = isTyped && spawnSync('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
if (typed !== false && typed.status !== 0) process.exit(typed.status ?? 1)

const bundle = await rolldown({
  cwd: root,
  input: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
  platform: 'node',
  tsconfig: 'tsconfig.build.json',
  // Wherever packages really are, their files have the same names.
  resolve: { symlinks: false },
  // Packages stay packages: those who install this one get them mended. Of zod, which is mostly translations, the greater part falls away here.
  external: /^(?!zod$)[^./]/,
})
await bundle.write({
  dir: dist,
  format: 'esm',
  sourcemap: true,
  sourcemapExcludeSources: true,
  chunkFileNames: 'chunks/[name]-[hash].js',
})
await bundle.close()

cpSync(join(root, 'node_modules/zod/LICENSE'), join(dist, 'chunks/zod.LICENSE'))
cpSync(join(root, 'src/dashboard'), join(dist, 'dashboard'), { recursive: true })
// Whatever the umask is: the same sources give the same package.
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true }))
  chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644)
chmodSync(join(dist, 'cli.js'), 0o755)
