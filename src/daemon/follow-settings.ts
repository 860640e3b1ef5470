import type { Settings } from '../config/settings.ts'

/** Settings by which the routes are made anew. */
const ROUTES = ['handlers.directory', 'routes']

/** What stands beside the worker and goes by settings that change. */
interface Followers {
  /** `level`: the least that is logged. */
  readonly logger: { level: string }
  /** How events are logged. */
  readonly shown: { content: boolean }
  readonly watch: { reload(): Promise<void> }
}

export function followSettings(settings: Settings, { logger, shown, watch }: Followers): void {
  settings.changed.on((changes) => {
    const { content, level } = settings.current.log
    logger.level = level
    shown.content = content
    if (ROUTES.some((key) => changes['new-deliveries'].includes(key))) void watch.reload()
  })
}
