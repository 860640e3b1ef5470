import type { Settings } from '../config/settings.ts'
import type { HandlerWatch } from '../handlers/watch.ts'

/** Settings by which the routes are made anew. */
const ROUTES = ['handlers.directory', 'routes']

/**
 * What stands beside the worker goes by settings that change: the least that is logged, whether the content of clinks is shown in that, and
 * the handlers.
 */
export function followSettings(
  settings: Settings,
  logger: { level: string },
  shown: { content: boolean },
  watch: Pick<HandlerWatch, 'reload'>,
): void {
  settings.changed.on((changes) => {
    const { content, level } = settings.current.log
    logger.level = level
    shown.content = content
    if (ROUTES.some((key) => changes['new-deliveries'].includes(key))) void watch.reload()
  })
}
