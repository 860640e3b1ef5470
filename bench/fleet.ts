/**
 * What a shared store costs, and what more workers bring. First one worker that remembers by itself beside one that shares a store, with handlers that
 * do nothing: the ratios, the statements of the store for a clink, and its processor time. Then 1, 2, 4 and 8 workers with handlers of 50 ms on a
 * service that takes 20 ms to answer. PostgreSQL runs in a cluster of its own, and waits for no disk. Run: npm run bench:fleet
 */
import { readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Contender, directory, median, worker, type Sample } from './contenders.ts'
import { countedStore } from './counted-store.ts'
import { cpuOf } from './processor-time.ts'

const { rounds, clinks, quick } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    clinks: { type: 'string', default: '10000' },
    quick: { type: 'boolean', default: false },
  },
}).values
const ROUNDS = quick ? 3 : Number(rounds)
const CLINKS = quick ? 2_000 : Number(clinks)
const LATENCY = 20
const HANDLER_MS = 50
const AT_ONCE = 10
const SECONDS_EACH = quick ? 3 : 8
const TAKES = `export default () => new Promise((resolve) => setTimeout(resolve, ${HANDLER_MS}))\n`

const { cluster, statements } = await countedStore()

/** Microseconds of CPU of the processes that serve connections now. */
function storeCpu(): number {
  const processes = readFileSync(`/proc/${cluster.pid}/task/${cluster.pid}/children`, 'utf8').trim().split(' ')
  return processes.reduce((sum, pid) => sum + cpuOf(Number(pid)), 0)
}

for (const atOnce of [10, 50]) {
  const store = await cluster.database()
  const alone = await Contender.start('by itself', (url) => worker(url, atOnce))
  const sharing = await Contender.start('sharing a store', (url) => worker(url, atOnce, { store }))
  const samples: { readonly alone: Sample; readonly sharing: Sample; readonly asked: number; readonly cpu: number }[] =
    []
  for (let round = 0; round <= ROUNDS; round += 1) {
    const ofAlone = await alone.work(CLINKS)
    const [asked, cpu] = [await statements(), storeCpu()]
    const ofSharing = await sharing.work(CLINKS)
    const sample = {
      alone: ofAlone,
      sharing: ofSharing,
      cpu: (storeCpu() - cpu) / CLINKS,
      asked: (await statements()) - asked,
    }
    if (round > 0) samples.push(sample)
  }
  await Promise.all([alone.end(), sharing.end()])
  const ratio = (what: 'perSecond' | 'cpu'): string =>
    median(samples.map((sample) => sample.sharing[what] / sample.alone[what])).toFixed(2)
  console.log(`
${atOnce} at once, ${CLINKS} clinks, ${ROUNDS} rounds
by itself:       ${median(samples.map((sample) => sample.alone.perSecond)).toFixed(0)} a second, ${median(samples.map((sample) => sample.alone.cpu)).toFixed(0)} µs a clink
sharing a store: ${median(samples.map((sample) => sample.sharing.perSecond)).toFixed(0)} a second, ${median(samples.map((sample) => sample.sharing.cpu)).toFixed(0)} µs a clink: ${ratio('perSecond')} of the rate at ${ratio('cpu')} of the CPU
the store:       ${median(samples.map(({ asked }) => asked / CLINKS)).toFixed(2)} statements and ${median(samples.map(({ cpu }) => cpu)).toFixed(0)} µs a clink`)
}

console.log(`
handlers of ${HANDLER_MS} ms, ${AT_ONCE} at once in each worker, answers after ${LATENCY} ms, ${availableParallelism()} processors`)
for (const isShared of [false, true]) {
  let one = 0
  for (const count of [1, 2, 4, 8]) {
    const options = { handler: TAKES, ...(isShared && { store: await cluster.database() }) }
    const workers = await Contender.start(
      `${count}`,
      (url) => Array.from({ length: count }, () => worker(url, AT_ONCE, options)),
      { latency: LATENCY },
    )
    const many = Math.round((AT_ONCE * count * SECONDS_EACH * 1_000) / (HANDLER_MS + 2.5 * LATENCY))
    await workers.work(Math.round(many / 4))
    const startedAt = performance.now()
    const { perSecond, cpu } = await workers.work(many)
    const busy = (cpu * many) / ((performance.now() - startedAt) * 1_000)
    if (count === 1) one = perSecond
    console.log(
      `${isShared ? 'sharing a store' : 'each by itself '} ${count} ${count === 1 ? 'worker: ' : 'workers:'} ${perSecond.toFixed(0).padStart(5)} a second, ${(perSecond / one / count).toFixed(2)} of ${count} times one; ${cpu.toFixed(0)} µs a clink, ${busy.toFixed(2)} processors`,
    )
    await workers.end()
  }
}
await cluster.remove()
rmSync(directory, { recursive: true })
