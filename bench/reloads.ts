/**
 * What reloads of handlers cost in memory: the built worker, with a handler that imports a file of ten functions, and a version of both for
 * each reload. Each version answers one clink, so that what it needs has been made. Said: the heap of the main thread after a
 * collection, and the memory of the process, from the hundredth reload to the last, each as the median of five readings. Beside it, a
 * loop that imports as many versions of the same files: what Node itself keeps of them. And `clinks`: a worker with threads that answers
 * as many clinks and reloads nothing. Run after `npm run build`: npm run bench:reloads [-- --reloads 500 --functions 10 --runner thread]
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startEmulator, type Emulator } from '../src/emulator/emulator.ts'
import { endsWithThis } from './children.ts'

const { values } = parseArgs({
  options: { reloads: { type: 'string' }, functions: { type: 'string' }, runner: { type: 'string', multiple: true } },
})
const RELOADS = Number(values.reloads ?? 500)
const FUNCTIONS = Number(values.functions ?? 10)
const STEP = 10
/** Caches have filled by then. */
const FIRST = 100
/** Readings at each end of which the median counts. */
const AROUND = 5

/** Loaded before the worker: says what memory is in use when it is asked. */
const REPORTER = `// Threads load it too.
if (process.channel !== undefined) {
  process.on('message', () => {
    for (let n = 0; n < 3; n += 1) gc()
    process.send({ heapUsed: process.memoryUsage().heapUsed })
  })
  process.channel.unref()
}
`

interface Reading {
  readonly reloads: number
  /** MiB. */
  readonly heap: number
  readonly rss: number
}

/** A handler, with what it imports. */
function write(home: string, version: number): void {
  const lines = Array.from({ length: FUNCTIONS }, (_, n) => `export const line${n} = (text) => text + ' ' + ${n}`)
  const files = {
    'lib/text.js': `export const version = ${version}\n${lines.join('\n')}\n`,
    'handlers/all.js': `import { version } from '../lib/text.js'\nexport default () => 'by ' + version\n`,
  }
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(home, `${name}.new`), text)
    renameSync(join(home, `${name}.new`), join(home, name))
  }
}

function start(home: string, { key, url }: Emulator, runner: string): ChildProcess {
  const config = `clink: { url: "${url}", key: ${key} }
handlers: { runner: ${runner} }
poll: { interval: 10ms, maxInterval: 20ms }
`
  writeFileSync(join(home, 'config.yaml'), config)
  writeFileSync(join(home, 'reporter.mjs'), REPORTER)
  const cli = new URL('../dist/cli.js', import.meta.url).pathname
  const flags = ['--expose-gc', '--import', join(home, 'reporter.mjs')]
  const args = [...flags, cli, 'run', '--config', 'config.yaml']
  return endsWithThis(spawn(process.execPath, args, { cwd: home, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] }))
}

async function answer(emulator: Emulator, version: number): Promise<void> {
  const { clink_id: id } = emulator.send('ops', 'work', { from: 'alice' })
  while (emulator.clink(id)?.status !== 'completed') await delay(2)
  const answer = emulator.clinks().at(-1)?.content.split('\n')[0]
  if (answer !== `by ${version}`) throw new Error(`version ${version} was not loaded: ${answer}`)
}

async function read(worker: ChildProcess, reloads: number): Promise<Reading> {
  worker.send('read')
  const [{ heapUsed }] = (await once(worker, 'message')) as [{ heapUsed: number }]
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${worker.pid}/status`, 'utf8'))?.[1]) / 1_024
  return { reloads, heap: heapUsed / 1_048_576, rss }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function said(readings: readonly Reading[], what: 'heap' | 'rss'): string {
  const later = readings.filter(({ reloads }) => reloads >= Math.min(FIRST, RELOADS / 5)).map((one) => one[what])
  const [from, to] = [median(later.slice(0, AROUND)), median(later.slice(-AROUND))]
  const reloads = RELOADS - Math.min(FIRST, RELOADS / 5)
  const each = ((to - from) * 1_024) / Math.max(1, reloads - (AROUND - 1) * STEP)
  return `${what} ${from.toFixed(1)} → ${to.toFixed(1)} MiB, ${each.toFixed(1)} KiB a reload`
}

/** The same imports, and nothing else. */
const PLAIN = `const heap = () => {
  for (let n = 0; n < 3; n += 1) gc()
  return process.memoryUsage().heapUsed / 1024
}
let before = 0
const [first, last] = process.argv.slice(2).map(Number)
for (let n = 1; n <= last; n += 1) {
  await import('./lib/text.js?' + n)
  await import('./plain.js?' + n)
  if (n === first) before = heap()
}
console.log('plain imports: ' + ((heap() - before) / (last - first)).toFixed(1) + ' KiB of heap a reload')
`

async function measurePlain(): Promise<void> {
  const home = makeHome()
  try {
    writeFileSync(join(home, 'plain.js'), "export default () => 'by'\n")
    writeFileSync(join(home, 'imports.mjs'), PLAIN)
    const from = String(Math.min(FIRST, RELOADS / 5))
    const args = ['--expose-gc', join(home, 'imports.mjs'), from, String(RELOADS)]
    await once(spawn(process.execPath, args, { cwd: home, stdio: 'inherit' }), 'exit')
  } finally {
    rmSync(home, { recursive: true })
  }
}

function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'clink-worker-bench-'))
  for (const name of ['handlers', 'lib']) mkdirSync(join(home, name))
  writeFileSync(join(home, 'package.json'), '{"type":"module"}')
  write(home, 0)
  return home
}

async function measure(runner: string): Promise<void> {
  const home = makeHome()
  const emulator = await startEmulator()
  const worker = start(home, emulator, runner === 'inline' ? 'inline' : 'thread')
  const ended = once(worker, 'exit')
  const loaded: string[] = []
  if (worker.stdout !== null)
    createInterface({ input: worker.stdout }).on('line', (line) => {
      if (line.includes('handlers.loaded')) loaded.push(line)
    })
  const readings: Reading[] = []
  try {
    await answer(emulator, 0)
    for (let round = 1; round <= RELOADS; round += 1) {
      if (runner !== 'clinks') {
        write(home, round)
        worker.kill('SIGHUP')
        while (loaded.length < round) await delay(2)
      }
      await answer(emulator, runner === 'clinks' ? 0 : round)
      if (round % STEP !== 0) continue
      const reading = await read(worker, round)
      readings.push(reading)
      if (round % (10 * STEP) === 0)
        console.log(`${runner}, ${round}: heap ${reading.heap.toFixed(1)} MiB, in all ${reading.rss.toFixed(1)} MiB`)
    }
    console.log(`${runner}: ${said(readings, 'heap')}, ${said(readings, 'rss')}\n`)
  } finally {
    worker.kill('SIGTERM')
    await ended
    await emulator.close()
    rmSync(home, { recursive: true })
  }
}

for (const runner of values.runner ?? ['plain', 'clinks', 'thread', 'inline'])
  await (runner === 'plain' ? measurePlain() : measure(runner))
