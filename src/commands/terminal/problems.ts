import { CommanderError } from 'commander'
import { asError, CodedError, EXIT, stackOf, type ExitCode } from '../../base/coded-error.ts'
import { textLines } from '../../base/text-lines.ts'
import { ClinkApiError } from '../../clink/errors.ts'
import { forbids, isAway, refusesKey } from '../../clink/verdicts.ts'
import { printable } from '../../observe/printable.ts'
import { redactor } from '../../observe/redact.ts'
import type { Io } from './io.ts'

const HELP_GIVEN = new Set(['commander.helpDisplayed', 'commander.version'])

/** Says what went wrong, one line a problem, and returns what to exit with. */
export function sayProblem(thrown: unknown, io: Io): ExitCode {
  const error = asError(thrown)
  const redact = redactor(io.secrets)
  const say = (text: string): void => {
    for (const line of textLines(text)) io.problem(printable(redact(line)))
  }
  if (error instanceof CommanderError) {
    if (HELP_GIVEN.has(error.code)) return EXIT.ok
    // `clink-worker` alone has shown the help as its answer.
    if (error.code !== 'commander.help') say(usageText(error.message))
    return EXIT.usage
  }
  say(error instanceof CodedError || error instanceof ClinkApiError ? error.message : internalText(error))
  return exitOf(error)
}

/** What a failed call means for the process: the key is refused, the service is away, or it said no to this. */
export function exitOf(error: Error): ExitCode {
  if (error instanceof CodedError) return error.exitCode
  if (!(error instanceof ClinkApiError)) return EXIT.internal
  if (refusesKey(error) || forbids(error)) return EXIT.refused
  return isAway(error) ? EXIT.unavailable : EXIT.failed
}

/** `error: unknown option '--cofig'\n(Did you mean --config?)` as one line. */
function usageText(message: string): string {
  return message.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\?\)$/s, '; did you mean $1?')
}

function internalText(error: Error): string {
  return `this is a bug in clink-worker: ${stackOf(error) || error.message}`
}
