import { wallNow } from '../base/host-time.ts'
import { isoTime } from '../base/time-text.ts'
import { pino, type Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { journalPrefix } from './journald.ts'
import { prettyLines } from './pretty.ts'
import { redactor, type Secrets } from './redact.ts'

export interface LogOptions {
  /** Where lines go, each with its line end. */
  readonly destination: { write(text: string): void }
  /** Whether the destination is a terminal: `format: auto` is pretty there and JSON elsewhere. */
  readonly terminal: boolean
  readonly color: boolean
  /** Whether the destination is the journal of systemd, which is told how much each line matters. Default: it is not. */
  readonly journal?: boolean
  /** Texts that no line shows, the API key first of all. */
  readonly secrets: Secrets
}

/** Each line begins with it. */
const LEVEL = /^\{"level":"(\w+)"/

/** A logger that writes `time` (ISO), `level` (text) and what it is given, each line one fact. */
export function createLogger(config: Omit<Config['log'], 'keep'>, options: LogOptions): Logger {
  const { destination, terminal, color, journal = false, secrets } = options
  const isPretty = config.format === 'pretty' || (config.format === 'auto' && terminal)
  const format = isPretty ? prettyLines(color) : (json: string): string => json
  const redact = redactor(secrets)
  const prefix = (json: string): string => (journal ? journalPrefix(LEVEL.exec(json)?.[1] ?? '') : '')
  return pino(
    {
      level: config.level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${isoTime(wallNow())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (json: string) => destination.write(prefix(json) + redact(format(json))) },
  )
}
