/**
 * What a worker costs that has little to do: until its first clink is completed, while its inbox is empty, and while it holds claims whose
 * handlers do not end: memory, and processor time of a renewal. Run: npm run bench:rest
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Contender, directory, median, worker } from './contenders.ts'

const { seconds: long, claims: many } = parseArgs({
  options: { seconds: { type: 'string', default: '30' }, claims: { type: 'string', default: '100,1000' } },
}).values
const SECONDS = Number(long)
const STARTS = 5
const UNTIL_ABORTED = `export default (_, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve))\n`

const ms = (value: number): string => `${value.toFixed(0)} ms`
async function bareStart(): Promise<number> {
  const startedAt = performance.now()
  await once(spawn(process.execPath, ['-e', '0']), 'exit')
  return performance.now() - startedAt
}

async function firstClink(): Promise<number> {
  let startedAt = 0
  const contender = await Contender.start('clink-worker', (url) => {
    startedAt = performance.now()
    return worker(url, 10)
  })
  await contender.work(1)
  const took = performance.now() - startedAt
  await contender.end()
  return took
}

const bare: number[] = []
const first: number[] = []
for (let n = 0; n < STARTS; n += 1) {
  bare.push(await bareStart())
  first.push(await firstClink())
}
const ratio = median(first) / median(bare)
console.log(
  `start to the first completed clink: ${ms(median(first))}, ${ratio.toFixed(1)} times node -e 0 (${ms(median(bare))})`,
)

const idle = await Contender.start('clink-worker', (url) => worker(url, 10, { poll: '5s' }))
await idle.work(1)
await sleep(5_000)
const before = idle.cpu
await sleep(SECONDS * 1_000)
console.log(`idle, a poll in 5 s: ${((idle.cpu - before) / SECONDS / 10_000).toFixed(2)} % of a core`)
await idle.end()

for (const [claims, lease] of many.split(',').map((one) => [Number(one), 30] as const)) {
  const contender = await Contender.start(
    'clink-worker',
    (url) => worker(url, claims, { handler: UNTIL_ABORTED, claim: `${lease}s`, poll: '5s' }),
    { lease },
  )
  await contender.hold(claims)
  await sleep(5_000)
  const from = { cpu: contender.cpu, renewals: await contender.renewals() }
  await sleep(SECONDS * 1_000)
  const renewals = (await contender.renewals()) - from.renewals
  const cost = renewals === 0 ? 'no renewal' : `${((contender.cpu - from.cpu) / renewals).toFixed(0)} µs a renewal`
  console.log(`${claims} claims of ${lease} s: ${contender.rss.toFixed(0)} MiB, ${cost} (${renewals} in ${SECONDS} s)`)
  await contender.end()
}
rmSync(directory, { recursive: true })
