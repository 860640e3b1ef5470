import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { constants } from 'node:os'
import { parseArgs } from 'node:util'

// Programs call this again and again, in loops as well: it imports nothing that would have to be loaded.

const HELP = `Usage: clink-worker task <request>

For programs that a worker runs (exec): asks it for what it does for their run.

  reply TEXT [--to group] [--id]
                            send a clink about this one, for progress; --id: print its id
  step NAME [--json] -- COMMAND…
                            run a command once for this clink, and write what it writes; a later run
                            of the program gets the same, and the command is not run again.
                            --json: that is JSON, and no text
  step NAME                 0 and what is kept, or 1 if the step is to be done now; once it is:
  step NAME --keep TEXT     keep it
  sleep NAME DURATION       0 if the time is over, 75 if not: then end with that, to be run again
  log TEXT [--level LEVEL] [KEY=VALUE…]
                            a line in the worker's log: debug, info, warn or error
  keepalive                 a sign of life
  mask VALUE                keep this text out of the log from now on; at least 8 characters
  draining [--wait]         0 if the run should end soon, 1 if not; --wait: not before it should

TEXT and VALUE: - reads standard input, which hides them from whoever can list processes.
Exit codes: 0 done, 1 refused, 64 wrong usage, 69 there is no worker; step: those of its command as well.
`
const EXIT = { ok: 0, failed: 1, usage: 64, unavailable: 69, again: 75, notFound: 127, signal: 128 } as const
/** More is no result. */
const LONGEST_RESULT = 65_536

type Options = Readonly<Record<string, string | boolean | undefined>>
type Request = Readonly<Record<string, unknown>>

interface Known {
  readonly options?: Record<string, { type: 'string' | 'boolean' }>
  /** How many it takes. One that nobody reads would be the lost half of a text without quotes. */
  readonly words: number
  readonly ask: Ask
}

/** Each request: its options, and what is asked with its words. */
const REQUESTS: Readonly<Record<string, Known>> = {
  reply: {
    words: 1,
    options: { to: { type: 'string' }, id: { type: 'boolean' } },
    ask: ([text], { to }) => ({ text: given(text), ...(to && { to }), ...inStep() }),
  },
  step: {
    words: 1,
    options: { json: { type: 'boolean' }, keep: { type: 'string' } },
    ask: ([name], { json, keep }) => ({
      name: given(name),
      ...(typeof keep === 'string' && { value: result(given(keep), json) }),
    }),
  },
  sleep: { words: 2, ask: ([name, duration]) => ({ name: given(name), for: given(duration) }) },
  log: {
    words: Infinity,
    options: { level: { type: 'string' } },
    ask: ([message, ...pairs], { level }) => ({
      message: given(message),
      ...(level && { level }),
      ...(pairs.length > 0 && { fields: fieldsOf(pairs) }),
    }),
  },
  keepalive: { words: 0, ask: () => ({}) },
  mask: { words: 1, ask: ([value]) => ({ value: given(value) }) },
  draining: { words: 0, options: { wait: { type: 'boolean' } }, ask: (_, { wait }) => ({ wait: wait === true }) },
}
type Ask = (words: readonly string[], options: Options) => Request

/** Does one request, and sets what the process exits with. */
export function runTask([name = '', ...args]: readonly string[]): void {
  if (['', '--help', '-h', 'help'].includes(name) || args.includes('--help')) return void process.stdout.write(HELP)
  const known = Object.hasOwn(REQUESTS, name) ? REQUESTS[name] : undefined
  if (known === undefined) {
    return end(EXIT.usage, `there is no request ${JSON.stringify(name)}, only ${Object.keys(REQUESTS).join(', ')}`)
  }
  const { CLINK_TASK_SOCKET: path, CLINK_TASK_TOKEN: token } = process.env
  if (path === undefined || token === undefined) {
    return end(
      EXIT.usage,
      'CLINK_TASK_SOCKET and CLINK_TASK_TOKEN are not set: this is for programs that a worker runs',
    )
  }
  try {
    const { options = {}, ask, words } = known
    const at = name === 'step' ? args.indexOf('--') : -1
    const own = at < 0 ? args : args.slice(0, at)
    const { positionals, tokens, values } = parseArgs({ args: [...own], options, allowPositionals: true, tokens: true })
    const texts = tokens.flatMap((token) => (token.kind === 'option' && token.value !== undefined ? [token.name] : []))
    mustDiffer(texts.map((option) => `--${option}`))
    // None of them is repeated: it may be the rest of a secret.
    if (positionals.length > words)
      throw new Error('that is more words than it takes: put a text of several words in quotes')
    const request = { request: name, token, ...ask(positionals, values) }
    send(path, request, (told) => {
      const isToBeDone = name === 'step' && told.answer?.done === false
      if (isToBeDone && at >= 0) void doStep(path, request, args.slice(at + 1), values)
      else tell(told, values)
    })
  } catch (error) {
    end(EXIT.usage, textOf(error))
  }
}

/** Runs the command of a step, and has the worker keep what it has written. */
async function doStep(path: string, request: Request, command: readonly string[], options: Options): Promise<void> {
  const { spawn } = await import('node:child_process')
  const [program = '', ...args] = command
  const env = { ...process.env, CLINK_TASK_STEP: String(request['name']) }
  const child = spawn(program, args, { env, stdio: ['inherit', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text = (text + part).slice(0, LONGEST_RESULT + 2)))
  child.once('error', (error) => end(EXIT.notFound, error.message))
  child.once('close', (code, signal) => {
    if (code === 0) {
      try {
        const value = result(text.replace(/\n$/, ''), options['json'])
        send(path, { ...request, value }, (told) =>
          tell(told.error === undefined ? { answer: { done: true, value } } : told, options),
        )
      } catch (error) {
        end(EXIT.failed, `step ${String(request['name'])}: what the command wrote is no JSON: ${textOf(error)}`)
      }
      return
    }
    process.stdout.write(text)
    process.exitCode ??= code ?? EXIT.signal + (constants.signals[signal ?? 'SIGTERM'] ?? 0)
  })
}

function send(path: string, request: Request, tell: (told: Told) => void): void {
  let answer = ''
  const socket = createConnection(path, () => socket.write(`${JSON.stringify(request)}\n`))
  const away = (error?: Error): void =>
    end(EXIT.unavailable, `no worker answers at ${path}: ${error?.message ?? 'it went away'}`)
  socket.setEncoding('utf8').once('error', away).once('end', away)
  socket.on('data', (text: string) => {
    answer += text
    if (!answer.endsWith('\n')) return
    socket.removeAllListeners().destroy()
    tell(JSON.parse(answer))
  })
}

interface Told {
  readonly answer?: {
    readonly id?: string
    readonly draining?: boolean
    readonly done?: boolean
    readonly value?: unknown
    readonly over?: boolean
  }
  readonly error?: string
}

/** Standard output is the program's response: nothing is written there that was not asked for. */
function tell({ answer, error }: Told, { id }: Options): void {
  if (error !== undefined) return end(EXIT.failed, error)
  if (answer?.id !== undefined && id === true) process.stdout.write(`${answer.id}\n`)
  if (answer?.done === true && answer.value !== null && answer.value !== '')
    process.stdout.write(`${typeof answer.value === 'string' ? answer.value : JSON.stringify(answer.value)}\n`)
  if (answer?.draining === false || answer?.done === false) process.exitCode = EXIT.failed
  if (answer?.over === false) process.exitCode = EXIT.again
}

function end(code: number, problem: string): void {
  process.stderr.write(`clink-worker task: ${problem}\n`)
  process.exitCode = code
}

/** The step whose command calls this. */
function inStep(): { readonly step?: string } {
  const { CLINK_TASK_STEP: step } = process.env
  return step === undefined ? {} : { step }
}

function result(text: string, isJson: unknown): unknown {
  return isJson === true ? JSON.parse(text) : text
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function given(text: string | undefined): string {
  if (text === undefined) throw new Error('say what, or - to read it from standard input')
  return text === '-' ? readFileSync(0, 'utf8').replace(/\n$/, '') : text
}

function fieldsOf(pairs: readonly string[]): Readonly<Record<string, string>> {
  const fields = pairs.map(pair)
  mustDiffer(fields.map(([key]) => key))
  return Object.fromEntries(fields)
}

function mustDiffer(names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined) throw new Error(`${twice} is given twice`)
}

function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new Error(`${JSON.stringify(text)}: write it as key=value, and a text of several words in quotes`)
  return [text.slice(0, at), text.slice(at + 1)]
}
