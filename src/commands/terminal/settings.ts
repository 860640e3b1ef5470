import type { Command, Option } from 'commander'
import { CodedError } from '../../base/coded-error.ts'
import { parseDuration } from '../../base/duration.ts'

/** What every command that reads the configuration takes. */
export interface SettingsOptions {
  readonly config?: string
  readonly set?: Readonly<Record<string, string>>
  readonly concurrency?: string
  readonly logLevel?: string
  readonly handlers?: string
}

/** Short names of settings, for those that are changed most. */
const SHORT = { concurrency: 'concurrency', logLevel: 'log.level', handlers: 'handlers.directory' } as const

const NO_SECRETS =
  'a key does not belong on a command line, where others can read it; ' +
  'put it into CLINK_API_KEY, or into a file that CLINK_API_KEY_FILE names'
const NO_PASSWORDS =
  'a password does not belong on a command line, where others can read it; ' +
  'put the address into CLINK_STATE_URL, or into a file that CLINK_STATE_URL_FILE names'

export function addSettings(command: Command): Command {
  return command
    .option('-c, --config <file>', 'configuration file (default: ./clink-worker.yaml, where there is one)')
    .option(
      '--set <key=value>',
      'any setting of the configuration, as in poll.interval=5s; may be repeated',
      pairs('--set'),
    )
}

export function addWorkSettings(command: Command): Command {
  return addSettings(command)
    .option('--concurrency <n>', 'how many clinks are worked at once')
    .option('--handlers <dir>', 'directory of handler files')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent')
}

/** Settings by their dotted keys, for `loadConfig`. */
export function flagsOf(options: SettingsOptions): Record<string, string> {
  const flags: Record<string, string> = { ...options.set }
  for (const [option, key] of Object.entries(SHORT)) {
    const value: unknown = Reflect.get(options, option)
    if (typeof value !== 'string') continue
    if (flags[key] !== undefined) throw new CodedError('USAGE', `${key} is given twice, once with --set`)
    flags[key] = value
  }
  return flags
}

/** Reads an option that counts something. */
export function wholeNumber(what: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
    if (number >= least && number <= most) return number
    throw new CodedError('USAGE', `${what}: ${JSON.stringify(text)} is not a whole number from ${least} to ${most}`)
  }
}

/** @param example what to write instead. */
export function positiveDuration(what: string, text: string, example: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined && ms > 0) return ms
  throw new CodedError('USAGE', `${what}: ${JSON.stringify(text)} is not a duration above 0; write ${example}`)
}

/** `pairs` reads them all. */
export function isRepeatable({ flags }: Pick<Option, 'flags'>): boolean {
  return flags.endsWith('=value>')
}

/** Also of what is no address and was meant as one, and of one among other settings. */
function isSecretAddress(key: string, text: string): boolean {
  if (key !== 'state.url' && key !== 'state') return false
  const isBare = key === 'state.url' && /^[^\s:/@?]*:(?!\/\/)[^@]*@/.test(text)
  return isBare || /postgres(ql)?(:\/\/|:|\/\/)(?![:/])[^\s/@?]*:[^@]*@|[?&]password=/.test(text)
}

/**
 * Reads an option of the form `key=value` that may be repeated, with other keys. Everybody on the machine can read a command line, so no secret is
 * taken from it.
 */
export function pairs(
  what: string,
): (text: string, before?: Readonly<Record<string, string>>) => Record<string, string> {
  return (text, before) => {
    const at = text.indexOf('=')
    const key = text.slice(0, Math.max(at, 0)).trim()
    if (key === '') throw new CodedError('USAGE', `${what} ${JSON.stringify(text)}: write it as key=value`)
    if (key === 'clink.key' || key === 'clink') throw new CodedError('USAGE', `${what} ${key}: ${NO_SECRETS}`)
    const value = text.slice(at + 1)
    if (isSecretAddress(key, value)) throw new CodedError('USAGE', `${what} ${key}: ${NO_PASSWORDS}`)
    if (before !== undefined && Object.hasOwn(before, key))
      throw new CodedError('USAGE', `${what} ${key} is given twice`)
    return { ...before, [key]: value }
  }
}
