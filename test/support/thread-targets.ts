import { loadHandlers } from '../../src/handlers/registry.ts'
import type { Target } from '../../src/handlers/route.ts'
import { directoryWith, writeFiles } from './handler-files.ts'
import { makeConfig } from './settings.ts'

const HEAD = "import { once } from 'node:events'\nimport { HandlerAborted } from 'clink-worker'\n"

/** A module whose handler is this function. */
const handlerFile = (name: string, code: string): string =>
  `${HEAD}export default { match: { group: '${name}' }, runner: 'thread', handle: ${code} }\n`

/** What threads run: handlers in files, each by its code. */
export async function threadTargets<Name extends string>(codes: Readonly<Record<Name, string>>) {
  const directory = await directoryWith({})
  return await threadTargetsIn(directory, codes)
}

/** The same in a directory that is there; loaded anew with each call. */
export async function threadTargetsIn<Name extends string>(directory: string, codes: Readonly<Record<Name, string>>) {
  const files = Object.entries<string>(codes).map(([name, code]) => [`${name}.js`, handlerFile(name, code)] as const)
  await writeFiles(directory, Object.fromEntries(files))
  const { handlers, ...config } = makeConfig('http://127.0.0.1:1')
  const set = await loadHandlers({
    config: { ...config, handlers: { ...handlers, directory } },
    cwd: directory,
    generation: 1,
  })
  const targets = new Map(set.routes.map(({ name, target }) => [name, target]))
  return (name: Name): Target => {
    const target = targets.get(name)
    if (target === undefined) throw new Error(`there is no handler ${name}`)
    return target
  }
}
