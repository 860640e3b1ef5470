import { execFile } from 'node:child_process'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const wanted = ['clink-mcp-server==0.1.1', 'mcp<2']

/** Why there can be no virtual environment here, or `undefined` when there can be one. */
export async function whyNoPython(): Promise<string | undefined> {
  try {
    await run('python3', ['-c', 'import venv, ensurepip'])
    return undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'there is no python3'
    return 'this python3 cannot make virtual environments (venv or ensurepip is missing)'
  }
}

/**
 * The Python of a virtual environment with the reference client. It is made once and kept below `.cache/`; a half made one is
 * never taken for a whole one, because it gets its name last.
 */
export async function referencePython(): Promise<string> {
  const home = join(root, '.cache', 'reference-client-0.1.1')
  const python = join(home, 'bin', 'python')
  if (await exists(python)) return python
  const making = `${home}.${process.pid}`
  await mkdir(making, { recursive: true })
  try {
    await run('python3', ['-m', 'venv', making])
    // By its module, not by its script: scripts carry the path they were made under, and the directory is renamed.
    await run(join(making, 'bin', 'python'), [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      ...wanted,
    ])
    await rename(making, home)
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    if (!(await exists(python))) throw error
  }
  return python
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
