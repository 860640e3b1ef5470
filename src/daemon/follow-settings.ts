import type { Settings } from '../config/settings.ts'

/** The log goes by settings that change: the least that is logged, and whether the content of clinks is shown in that. */
export function followSettings(settings: Settings, logger: { level: string }, shown: { content: boolean }): void {
  settings.changed.on(() => {
    const { content, level } = settings.current.log
    logger.level = level
    shown.content = content
  })
}
