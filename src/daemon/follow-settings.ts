import { systemClock } from '../base/clock.ts'
import type { Settings } from '../config/settings.ts'
import { LogLevel } from './log-level.ts'

/** The log goes by settings that change: the least that is logged, and whether the content of clinks is shown in that. */
export function followSettings(settings: Settings, logger: { level: string }, shown: { content: boolean }): LogLevel {
  settings.changed.on(() => {
    shown.content = settings.current.log.content
  })
  return new LogLevel(settings, logger, systemClock())
}
