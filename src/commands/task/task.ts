import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { parseArgs } from 'node:util'

// Programs call this again and again, in loops as well: it imports nothing that would have to be loaded.

const HELP = `Usage: clink-worker task <request>

For programs that a worker runs (exec): asks it for what it does for their run.

  reply TEXT [--to group] [--id]
                            send a clink about this one, for progress; --id: print its id
  log TEXT [--level LEVEL] [KEY=VALUE…]
                            a line in the worker's log: debug, info, warn or error
  keepalive                 a sign of life
  mask VALUE                keep this text out of the log from now on; at least 8 characters
  draining [--wait]         0 if the run should end soon, 1 if not; --wait: not before it should

TEXT and VALUE: - reads standard input, which hides them from whoever can list processes.
Exit codes: 0 done, 1 refused, 64 wrong usage, 69 there is no worker.
`
const EXIT = { ok: 0, failed: 1, usage: 64, unavailable: 69 } as const

type Options = Readonly<Record<string, string | boolean | undefined>>
type Request = Readonly<Record<string, unknown>>

/** Each request: its options, and what is asked with its words. */
const REQUESTS: Readonly<Record<string, { options?: Record<string, { type: 'string' | 'boolean' }>; ask: Ask }>> = {
  reply: {
    options: { to: { type: 'string' }, id: { type: 'boolean' } },
    ask: ([text], { to }) => ({ text: given(text), ...(to && { to }) }),
  },
  log: {
    options: { level: { type: 'string' } },
    ask: ([message, ...pairs], { level }) => ({
      message: given(message),
      ...(level && { level }),
      ...(pairs.length > 0 && { fields: Object.fromEntries(pairs.map(pair)) }),
    }),
  },
  keepalive: { ask: () => ({}) },
  mask: { ask: ([value]) => ({ value: given(value) }) },
  draining: { options: { wait: { type: 'boolean' } }, ask: (_, { wait }) => ({ wait: wait === true }) },
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
    const { options = {}, ask } = known
    const { positionals, values } = parseArgs({ args: [...args], options, allowPositionals: true })
    send(path, { request: name, token, ...ask(positionals, values) }, values)
  } catch (error) {
    end(EXIT.usage, error instanceof Error ? error.message : String(error))
  }
}

function send(path: string, request: Request, options: Options): void {
  let answer = ''
  const socket = createConnection(path, () => socket.write(`${JSON.stringify(request)}\n`))
  const away = (error?: Error): void =>
    end(EXIT.unavailable, `no worker answers at ${path}: ${error?.message ?? 'it went away'}`)
  socket.setEncoding('utf8').once('error', away).once('end', away)
  socket.on('data', (text: string) => {
    answer += text
    if (!answer.endsWith('\n')) return
    socket.removeAllListeners().destroy()
    tell(JSON.parse(answer), options)
  })
}

interface Told {
  readonly answer?: { readonly id?: string; readonly draining?: boolean }
  readonly error?: string
}

/** Standard output is the program's response: nothing is written there that was not asked for. */
function tell({ answer, error }: Told, { id }: Options): void {
  if (error !== undefined) return end(EXIT.failed, error)
  if (answer?.id !== undefined && id === true) process.stdout.write(`${answer.id}\n`)
  if (answer?.draining === false) process.exitCode = EXIT.failed
}

function end(code: number, problem: string): void {
  process.stderr.write(`clink-worker task: ${problem}\n`)
  process.exitCode = code
}

function given(text: string | undefined): string {
  if (text === undefined) throw new Error('say what, or - to read it from standard input')
  return text === '-' ? readFileSync(0, 'utf8').replace(/\n$/, '') : text
}

function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  if (at < 1) throw new Error(`${JSON.stringify(text)}: write it as key=value, and a text of several words in quotes`)
  return [text.slice(0, at), text.slice(at + 1)]
}
