import { CodedError } from '../base/coded-error.ts'
import { withoutCredentials } from '../base/web-address.ts'

/** One thing that is wrong with the configuration, or that its author should know. */
export interface ConfigIssue {
  /** The file, `command line`, or `environment CLINK_WORKER_CONCURRENCY`. */
  readonly where: string
  /** From 1. */
  readonly line?: number | undefined
  readonly column?: number | undefined
  /** Dotted, as `poll.interval` or `routes[0].use`; empty: the whole. */
  readonly key: string
  /** The value as it was written; never a secret. */
  readonly value?: string | undefined
  /** Reads on from the value: `is not a duration; write 250ms, 30s, 5m, 1h`. */
  readonly message: string
  readonly suggestion?: string | undefined
}

/** All that is wrong with a configuration, one line each. */
export class ConfigError extends CodedError {
  override readonly name = 'ConfigError'
  readonly issues: readonly ConfigIssue[]

  constructor(issues: readonly ConfigIssue[]) {
    super('CONFIG_INVALID', issues.map(formatIssue).join('\n'))
    this.issues = issues
  }
}

/** `worker.yaml:3:11: poll.interval: "5 secs" is not a duration; write 250ms, 30s, 5m, 1h` */
export function formatIssue({ where, line, column, key, value, message, suggestion }: ConfigIssue): string {
  const place = [where, line, column].filter((part) => part !== undefined).join(':')
  const about = [value, message].filter((part) => part !== undefined).join(' ')
  const advice = suggestion === undefined ? '' : `; ${suggestion}`
  return withoutKeys(`${[place, key, about].filter((part) => part !== '').join(': ')}${advice}`)
}

/** A part of a path: a key of a map or an index of a list. */
type PathPart = string | number
export type Path = readonly PathPart[]

export function dotted(path: Path): string {
  const parts = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
  return withoutKeys(parts.join('').replace(/^\./, ''))
}

/** Values that no message shows. */
const SECRETS: ReadonlySet<string> = new Set(['clink.key', 'state.url'])

export function isSecret(path: Path): boolean {
  return SECRETS.has(path.join('.'))
}

const LONGEST_SHOWN = 80

/** A value for a message: JSON, short, without what must stay secret. */
export function showValue(value: unknown): string {
  // JSON has no word for what is no number, or too large for one.
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing')
  // Before it is cut: a part of a password does not look like one.
  const clean = withoutKeys(withoutCredentials(text))
  return clean.length > LONGEST_SHOWN ? `${clean.slice(0, LONGEST_SHOWN)}…` : clean
}

/** An API key may stand where nobody expects one: in the wrong place of a file, or in a parser's message. */
function withoutKeys(text: string): string {
  return text.replace(/sk_live_[^\s"',}\]]*/g, 'sk_live_…')
}
