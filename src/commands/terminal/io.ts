import { isatty } from 'node:tty'
import { CodedError, EXIT, type ExitCode } from '../../base/coded-error.ts'
import { endProcess } from '../../host/end-process.ts'
import { StandardOutput } from '../../host/standard-output.ts'
import { isUnread } from '../../host/unread.ts'
import { isJournal, journalPrefix } from '../../observe/journald.ts'
import { wantsColor } from '../../observe/colour.ts'
import { takeEnvironment } from './own-environment.ts'

/** The process as commands see it. */
export interface Io {
  /** As it was at the start. Handlers find another one in `process.env`, without what is secret. */
  readonly env: NodeJS.ProcessEnv
  /** Takes a variable out of what handlers find. */
  hide(variable: string): void
  /** Texts that no output may contain. */
  readonly secrets: Set<string>
  readonly cwd: string
  /** Whether standard output is a terminal, and whether to colour it. */
  readonly terminal: boolean
  readonly color: boolean
  /** Whether standard output is the journal of systemd. */
  readonly journal: boolean
  /** Text for standard output, with its line end. */
  out(text: string): void
  /** Lines for standard error, without line ends. */
  problem(line: string): void
  /** Text for standard error as it is: what people are told while programs read standard output. */
  note(text: string): void
  input(): Promise<string>
  /**
   * For what works on whoever reads: from now on no write waits for a reader, and nothing ends the process because there is none. Other
   * commands wait for theirs, and end when it has gone.
   */
  takeOutput(): StandardOutput
  /** What the process exits with when the command is over. */
  finish(code: ExitCode): void
  /** Resolves when whoever reads the output has all of it: a pipe takes 64 KiB, and the end of the process drops what waits behind. */
  written(): Promise<void>
  /** Ends the process: with a code, or with what `finish` said. */
  exit(code?: ExitCode): void
}

export function processIo(): Io {
  let finished: ExitCode = EXIT.ok
  const env = takeEnvironment(process.env)
  let output: StandardOutput | undefined
  const exit = (code = finished): void => endProcess(code)
  const closed = (error: NodeJS.ErrnoException): void => {
    // `clink-worker inbox | head` is not a failure, nor is a terminal that was closed.
    if (isUnread(error)) exit()
    // A full disk below a redirection, for one: who reads the file later must not take it for the whole.
    process.stderr.write(`clink-worker: the output cannot be written: ${error.message}\n`)
    exit(finished === EXIT.ok ? EXIT.failed : finished)
  }
  process.stdout.on('error', closed)
  process.stderr.on('error', closed)
  const terminal = isatty(1)
  const [warning, error] = isJournal(env, 2) ? [journalPrefix('warn'), journalPrefix('error')] : ['', '']
  return {
    env,
    hide: (variable) => Reflect.deleteProperty(process.env, variable),
    secrets: new Set([env['CLINK_API_KEY'], env['CLINK_WORKER_CLINK__KEY']].map((key = '') => key.trim())),
    get cwd() {
      return workingDirectory()
    },
    terminal,
    color: wantsColor(terminal, env),
    journal: isJournal(env, 1),
    out: (text) => void process.stdout.write(text),
    problem: (line) =>
      void process.stderr.write(`${line.startsWith('warning') ? warning : error}clink-worker: ${line}\n`),
    note: (text) => void process.stderr.write(text),
    input: async () => {
      const chunks: Buffer[] = []
      for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
      return Buffer.concat(chunks).toString('utf8')
    },
    takeOutput: () => (output ??= new StandardOutput()),
    finish: (code) => {
      finished = code
    },
    written: async () => {
      if (output !== undefined) return await output.finish()
      // A stream reports a failed write one turn later.
      await new Promise((resolve) => setImmediate(resolve))
      await Promise.all([process.stdout, process.stderr].map(written))
    },
    exit,
  }
}

/** @throws {CodedError} USAGE when it was removed since. */
function workingDirectory(): string {
  try {
    return process.cwd()
  } catch (cause) {
    throw new CodedError('USAGE', 'the working directory is gone; start this in one that is there', { cause })
  }
}

async function written(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return
  await new Promise<void>((resolve) => stream.write('', () => resolve()))
}
