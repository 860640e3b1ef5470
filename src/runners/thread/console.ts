import type { HandlerLog } from '../../handlers/handler.ts'

type Level = keyof HandlerLog
type Say = (level: Level, text: string) => void

const LEVELS = { debug: 'debug', error: 'error', trace: 'debug', warn: 'warn' } as const satisfies Record<string, Level>
/** A line that does not end is told in parts. */
const LONGEST_LINE = 16_384

/** What is written to the standard streams of this thread, by `console` too, goes to the log. */
export function captureOutput(say: Say): void {
  let level: Level | undefined
  captureStream(process.stdout, (text) => say(level ?? 'info', text))
  captureStream(process.stderr, (text) => say(level ?? 'warn', text))
  for (const [name, of] of Object.entries(LEVELS)) {
    const write: unknown = Reflect.get(console, name)
    if (typeof write !== 'function') continue
    Reflect.set(console, name, (...given: readonly unknown[]) => {
      level = of
      try {
        Reflect.apply(write, console, given)
      } finally {
        level = undefined
      }
    })
  }
}

/** One text a line, or a block of lines that were written at once. */
function captureStream(stream: NodeJS.WriteStream, say: (text: string) => void): void {
  let begun = ''
  stream.write = (chunk: Uint8Array | string, ...rest: readonly unknown[]) => {
    begun += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    if (begun.endsWith('\n') || begun.length > LONGEST_LINE) {
      const text = begun.replace(/\n$/, '')
      begun = ''
      say(text)
    }
    const done = rest.find((one) => typeof one === 'function')
    if (done !== undefined) process.nextTick(done)
    return true
  }
}
