/**
 * Where the time of one clink goes: the built worker under a profiler, its samples added up by part. They say how much of the processor time
 * of a clink each part has, start-up and waiting apart; other threads' is spread over them. On a busy machine calls of the system grow
 * most of all. Run: npm run bench:parts
 */
import { readFileSync, readdirSync, rmSync } from 'node:fs'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Contender, directory, worker } from './contenders.ts'

const { clinks: many, 'at-once': wanted } = parseArgs({
  options: { clinks: { type: 'string', default: '20000' }, 'at-once': { type: 'string', default: '50' } },
}).values
const CLINKS = Number(many)
const AT_ONCE = Number(wanted)

/** A function. Its line and column are counted from 0. */
interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
  readonly columnNumber: number
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

/** The first row that fits names the part. What has no address is native code. */
const PARTS: readonly (readonly [part: string, fits: (url: string, name: string) => boolean])[] = [
  ['idle', (_, name) => name === '(idle)'],
  ['garbage collection', (_, name) => name === '(garbage collector)'],
  ['start-up', (url, name) => /node:internal\/(modules|bootstrap)/.test(url) || name === '(program)'],
  ['journal, with SQLite', (url) => /src\/(journal|ledger|fleet)\//.test(url)],
  ['delivery and settlement', (url) => /src\/worker\/(delivery|settlement|claim)\//.test(url)],
  ['polls and admission', (url) => /src\/worker\/(claiming|admission)\//.test(url)],
  ['the run of the handler', (url) => /src\/(worker\/execution|runners|handlers)\//.test(url)],
  ['the rest of the heart', (url) => /src\/(worker|keys|daemon)\//.test(url)],
  ['clock and timers', (url) => /src\/base\//.test(url)],
  ['client and answers', (url) => /src\/clink\/|node_modules\/zod\//.test(url)],
  [
    'log and metrics',
    (url) => /src\/(observe|host|clink-logs|metrics|overview|traces)\/|node_modules\/(pino|sonic-boom)/.test(url),
  ],
  ['undici', (url) => /node_modules\/undici\/|wasm:/.test(url)],
  ['other packages', (url) => url.includes('node_modules')],
  ['Node', (url) => url.startsWith('node:')],
  ['promises', (_, name) => name === 'runMicrotasks'],
  ['sockets, files, native code', (url) => url === ''],
  ['other files', () => true],
]

const maps = new Map<string, SourceMap>()

function mapOf(url: string): SourceMap {
  return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8')) as SourceMapPayload)
}

/** The file in which a function was written: the built ones are made of many. */
function sourceOf({ columnNumber, lineNumber, url }: CallFrame): string {
  if (!url.includes('/dist/chunks/')) return url
  const map = maps.get(url) ?? mapOf(url)
  maps.set(url, map)
  const entry = map.findEntry(lineNumber, columnNumber)
  return 'originalSource' in entry ? entry.originalSource : url
}

const contender = await Contender.start('clink-worker', (url) =>
  worker(url, AT_ONCE, { flags: ['--cpu-prof', `--cpu-prof-dir=${join(directory, 'profile')}`] }),
)
const { cpu } = await contender.work(CLINKS)
await contender.end()

const sums = new Map<string, number>(PARTS.map(([part]) => [part, 0]))
for (const file of readdirSync(join(directory, 'profile'))) {
  const profile = JSON.parse(readFileSync(join(directory, 'profile', file), 'utf8')) as Profile
  const parts = new Map(
    profile.nodes.map(({ callFrame, id }) => {
      const source = sourceOf(callFrame)
      return [id, PARTS.find(([, fits]) => fits(source, callFrame.functionName))?.[0] ?? '']
    }),
  )
  profile.samples.forEach((id, index) => {
    const part = parts.get(id) ?? ''
    sums.set(part, (sums.get(part) ?? 0) + (profile.timeDeltas[index] ?? 0))
  })
}
const idle = sums.get('idle') ?? 0
const startup = sums.get('start-up') ?? 0
sums.delete('idle')
sums.delete('start-up')
const total = [...sums.values()].reduce((sum, one) => sum + one, 0)
console.log(`${AT_ONCE} at once, ${CLINKS} clinks: microseconds a clink`)
for (const [part, sum] of [...sums].sort(([, a], [, b]) => b - a))
  console.log(`${((sum / total) * cpu).toFixed(1).padStart(8)}  ${part}`)
console.log(`${cpu.toFixed(1).padStart(8)}  in all`)
console.log(`beside it ${(startup / 1_000).toFixed(0)} ms of start-up, ${(idle / 1_000).toFixed(0)} ms idle`)
rmSync(directory, { recursive: true })
