import { inspect, types } from 'node:util'
import { tryTo } from './try-to.ts'

/** What a process that fails with a code exits with, as `sysexits.h` numbers them where it has a number. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 64,
  unavailable: 69,
  internal: 70,
  /** Another worker has the state directory, or it cannot be written to for now. */
  busy: 75,
  /** The worker that was asked to do something has not answered: it may still do it. */
  unanswered: 76,
  refused: 77,
  config: 78,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Every error that clink-worker itself raises towards people has one of these codes. */
export const errorCodes = {
  USAGE: EXIT.usage,
  CONFIG_INVALID: EXIT.config,
  KEY_MISSING: EXIT.config,
  KEY_MALFORMED: EXIT.config,
  HANDLER_INVALID: EXIT.config,
  SERVICE_UNAVAILABLE: EXIT.unavailable,
  PORT_IN_USE: EXIT.unavailable,
  CANNOT_LISTEN: EXIT.unavailable,
  FILE_INVALID: EXIT.config,
  STATE_BUSY: EXIT.busy,
  /** Not now: what is wrong may pass without anybody changing the configuration. */
  STATE_UNAVAILABLE: EXIT.busy,
  STATE_UNUSABLE: EXIT.config,
  UNANSWERED: EXIT.unanswered,
  INTERNAL: EXIT.internal,
} as const satisfies Record<string, ExitCode>

export type ErrorCode = keyof typeof errorCodes

/** An error that is meant to be read by a person: one or more lines, no stack needed. */
export class CodedError extends Error {
  override readonly name: string = 'CodedError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  get exitCode(): ExitCode {
    return errorCodes[this.code]
  }
}

/** Also one of another realm, as of a `vm`. */
export const isError = (value: unknown): value is Error => types.isNativeError(value) || value instanceof Error

/** Whatever was thrown, as an Error whose message is a text and stays one. Never throws. */
export function asError(thrown: unknown): Error {
  try {
    if (typeof thrown === 'string') return new Error(thrown)
    // A proxy answers as it likes, each time anew.
    if (types.isProxy(thrown) || !isError(thrown)) return new Error(shown(thrown))
    const message: unknown = thrown.message
    const isFixed = Object.getOwnPropertyDescriptor(thrown, 'message')?.get === undefined
    if (typeof message === 'string' && isFixed) return thrown
    return new Error(typeof message === 'string' ? message : shown(message), { cause: thrown })
  } catch {
    return new Error('something was thrown that cannot be looked at')
  }
}

function shown(value: unknown): string {
  return inspect(value, { depth: 1, customInspect: false })
}

/** Where an error came from, as far as it says so: anybody may have put something else into its place. Never throws. */
export function stackOf(error: Error): string {
  const stack: unknown = tryTo(() => error.stack)
  return typeof stack === 'string' ? stack : ''
}

/** The name that the system gives an error, as ENOENT; empty where it gives none. Never throws. */
export function systemCode(error: unknown): string {
  return tryTo(() => (typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '')) ?? ''
}
