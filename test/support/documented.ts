import { mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { directoryWith } from './handler-files.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** A block of code that a page shows. Its first comment may name the file that it is. */
export interface Snippet {
  readonly language: string
  readonly name: string | undefined
  readonly code: string
}

export async function snippetsOf(page: string): Promise<readonly Snippet[]> {
  const text = await readFile(join(ROOT, 'docs', page), 'utf8')
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    language,
    name: /^(?:#!.*\n)?(?:\/\/|#) (\S+\.\w+)\n/.exec(code)?.[1],
    code,
  }))
}

/** The files among snippets, beside an installed package. */
export async function projectOf(snippets: readonly Snippet[]): Promise<string> {
  const files = snippets.flatMap(({ code, name }) => (name === undefined ? [] : [[name, code] as const]))
  const cwd = await directoryWith({ 'package.json': '{ "type": "module" }', ...Object.fromEntries(files) })
  await mkdir(join(cwd, 'node_modules'))
  await symlink(ROOT, join(cwd, 'node_modules/clink-worker'))
  return cwd
}
