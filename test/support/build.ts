import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { built } from './program.ts'

const root = join(import.meta.dirname, '../..')

/** Before the first test: the command that tests start is built anew where a source has changed since it was. */
export function setup(): void {
  const builtAt = statSync(built, { throwIfNoEntry: false })?.mtimeMs ?? 0
  const args = ['.ci/build.js', '--no-types']
  if (changedAt() > builtAt) execFileSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
}

/** When the last change was made of what the command is built from. */
function changedAt(): number {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((name) => `src/${name}`)
  const all = [...sources, 'src', '.ci/build.js', 'package.json']
  return Math.max(...all.map((name) => statSync(join(root, name)).mtimeMs))
}
