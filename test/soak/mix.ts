/** What clinks ask for, in so many of a thousand. The rest is plain. */
const MIX = {
  fail: 20,
  poison: 5,
  later: 10,
  step: 10,
  sleep: 5,
  release: 5,
  rate: 5,
  serial: 20,
  thread: 5,
  reply: 20,
  says: 20,
  exec: 1,
  /** A note that the worker has sent itself. */
  own: 20,
} as const

type Kind = keyof typeof MIX | 'plain'

export const SENDERS = 50
/** Prime to a thousand: clinks of each kind are spread over all. */
const STRIDE = 381
const places: readonly Kind[] = Object.entries(MIX).flatMap(([kind, many]) => Array<Kind>(many).fill(kind as Kind))

export function kindOf(n: number): Kind {
  return places[(n * STRIDE) % 1_000] ?? 'plain'
}

/** Of a handler of the worker's own process. What is `leaked` of each clink is for those who try the judge. */
const work = (leaked: number): string => `
const kept = []
const may = (part) => Math.random() < part
export default async ({ content }, ctx) => {
  if (${leaked} > 0) kept.push(Array.from({ length: ${leaked} }, (_, n) => n + Math.random()))
  const kind = content.slice(0, content.indexOf(' '))
  if (kind === 'fail' && may(0.5)) throw new Error('it failed this time')
  if (kind === 'poison' && may(0.9)) throw new Error('it fails nearly always')
  if (kind === 'later' && may(0.5)) return ctx.retryAfter('50ms', 'not now')
  if (kind === 'release' && may(0.5)) return ctx.release('others may')
  if (kind === 'step') await ctx.step('pay', () => ({ paid: content }))
  if (kind === 'step' && may(0.5)) throw new Error('it failed after its step')
  if (kind === 'sleep') await ctx.sleep('a while', '50ms')
  if (kind === 'reply') await ctx.reply('I have begun')
  if (kind === 'says') ctx.log.info('working', { content })
  // What is run again by hand mostly, and has an answer to be sent then.
  if (kind === 'poison') return 'done'
  return may(0.5) ? undefined : 'done'
}
`
export const threadHandler = (version: number): string =>
  `const version = ${version}\nexport default ({ content }) => version + content.slice(0, 20)\n`

/** @param version what is changed by a reload. */
export const config = (url: string, version: number): string => `
clink: { url: ${url}, key: sk_live_u_1 }
concurrency: ${40 + (version % 2)}
claim: { timeout: 4s }
poll: { interval: 20ms, maxInterval: 20ms, sweep: 5s }
handlers: { threads: 2 }
retry: { attempts: 3, backoff: 20ms, maxBackoff: 50ms, cooldown: 200ms, onExhausted: complete }
routes:
  - { name: limited, match: { content: { prefix: 'rate ' } }, use: handlers/work.js, rate: 100/1s }
  - { name: in turn, match: { content: { prefix: 'serial ' } }, use: handlers/work.js, serial: sender }
  - { name: in threads, match: { content: { prefix: 'thread ' } }, use: handlers/thread.js, runner: thread }
  - { name: a program, match: { content: { prefix: 'exec ' } }, exec: { command: [cat], output: text } }
  - { name: all, use: handlers/work.js }
state: { directory: ./state }
server: { port: 0 }
log: { format: json }
`
/** Loaded before the worker: collects garbage and says what is left, when it is asked. */
const reporter = `// Threads load it too.
if (process.channel !== undefined) {
  const { monitorEventLoopDelay } = await import('node:perf_hooks')
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  process.on('message', () => {
    const late = delay.mean / 1e6 - 10
    // A plain one leaves what V8 would rather keep, such as code and what it has cached: that looks like growth.
    gc({ execution: 'sync', type: 'major', flavor: 'last-resort' })
    const { arrayBuffers, external, heapUsed } = process.memoryUsage()
    const resources = process.getActiveResourcesInfo()
    const timers = resources.filter((name) => name === 'Timeout').length
    process.send({ heapUsed, external: external + arrayBuffers, late, timers, handles: resources.length - timers })
    delay.reset()
  })
  process.channel.unref()
}
`

/** Files of a directory in which the worker is started, by their names. */
export const files = (url: string, leaked: number): Readonly<Record<string, string>> => ({
  'package.json': '{"type":"module"}',
  'config.yaml': config(url, 0),
  'handlers/work.js': work(leaked),
  'handlers/thread.js': threadHandler(0),
  'reporter.mjs': reporter,
})
