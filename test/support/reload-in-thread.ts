import { NO_FILES } from '../../src/handlers/files-read.ts'
import { HandlerSet, type LoadHandlersOptions } from '../../src/handlers/registry.ts'
import { configOf, load } from './handler-files.ts'

/** As a worker with `runner: thread` does it whose handlers are all new. */
export async function reloadInThread(cwd: string, options: Partial<LoadHandlersOptions> = {}): Promise<HandlerSet> {
  const { handlers, ...config } = await configOf(cwd)
  return await load(cwd, {
    config: { ...config, handlers: { ...handlers, runner: 'thread' } },
    inUse: new HandlerSet(1, [], NO_FILES),
    ...options,
  })
}
