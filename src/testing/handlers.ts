import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { checkModule } from '../handlers/definition.ts'
import { NO_FILES } from '../handlers/files-read.ts'
import { HandlerError } from '../handlers/handler-error.ts'
import type { HandleFunction, HandlerDefinition } from '../handlers/handler.ts'
import { makeRoutes } from '../handlers/make-routes.ts'
import { HandlerSet, loadHandlers } from '../handlers/registry.ts'

/** What handler files export by default, by the names of their routes; or the folder they are in, relative to where the test was started. */
export type Handlers = string | Readonly<Record<string, HandlerDefinition | HandleFunction>>

/** @throws {HandlerError} naming every handler that is not in order, as `clink-worker check` does. */
export async function handlersOf(handlers: Handlers, config: Config, cwd: string): Promise<HandlerSet> {
  if (typeof handlers === 'string') {
    const own = { ...config, handlers: { ...config.handlers, directory: resolve(cwd, handlers) } }
    return await loadHandlers({ config: own, cwd, generation: 1, inline: true })
  }
  const checked = Object.entries(handlers).map(([name, given]) => ({ name, ...checkModule({ default: given }) }))
  const loaded = checked.flatMap((one) => {
    return 'definition' in one ? [{ path: one.name, file: one.name, name: one.name, definition: one.definition }] : []
  })
  const made = makeRoutes(loaded, config, 1)
  const wrong = checked.flatMap((one) =>
    'problems' in one ? one.problems.map((message) => ({ file: `the handler ${one.name}`, message })) : [],
  )
  const issues = [...wrong, ...made.issues]
  if (issues.length > 0) throw new HandlerError(issues, NO_FILES)
  return new HandlerSet(1, made.entries, NO_FILES)
}
