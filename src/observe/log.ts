import { pino, type Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { prettyLines } from './pretty.ts'
import { redactor, type Secrets } from './redact.ts'
import { isUnread } from './unread.ts'

export interface LogOptions {
  /** Where lines go. Default: standard output, synchronously, so that no line is lost when the process ends. */
  readonly destination?: LogDestination
  /** Whether the destination is a terminal: `format: auto` is pretty there and JSON elsewhere. */
  readonly terminal: boolean
  readonly color: boolean
  /** Texts that no line shows, the API key first of all. */
  readonly secrets: Secrets
}

export interface LogDestination {
  write(text: string): void
}

/** A logger that writes `time` (ISO), `level` (text) and what it is given, each line one fact. */
export function createLogger(config: Config['log'], options: LogOptions): Logger {
  const { destination = standardOutput(), terminal, color, secrets } = options
  const isPretty = config.format === 'pretty' || (config.format === 'auto' && terminal)
  const format = isPretty ? prettyLines(color) : (json: string): string => json
  const redact = redactor(secrets)
  return pino(
    {
      level: config.level,
      base: null,
      messageKey: 'message',
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (json: string) => destination.write(redact(format(json))) },
  )
}

/** Writes to standard output at once. When nobody reads it any more, lines are dropped and `closed` is told, once. */
export function standardOutput(closed: () => void = () => {}): LogDestination {
  const output = pino.destination({ fd: 1, sync: true })
  let isClosed = false
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (isClosed) return
    isClosed = true
    if (!isUnread(error)) process.emitWarning(`the log cannot be written: ${error.message}`)
    closed()
  })
  return {
    write: (text) => {
      if (!isClosed) output.write(text)
    },
  }
}
