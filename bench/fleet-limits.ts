/**
 * What limits of a fleet cost: a worker that shares a store and keeps limits by itself, beside one whose limits are the fleet's. None of them is ever
 * reached, and handlers do nothing: what is measured is the asking. The ratios, and the statements of the store for a clink. PostgreSQL runs in a
 * cluster of its own, and waits for no disk. Run: npm run bench:limits
 */
import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Contender, directory, median, worker, type Sample } from './contenders.ts'
import { countedStore } from './counted-store.ts'

const { rounds, clinks } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, clinks: { type: 'string', default: '5000' } },
}).values
const ROUNDS = Number(rounds)
const CLINKS = Number(clinks)
/** Of how many senders: more than are in hand at once. */
const SENDERS = 1_000
const handler = (limits: string): string => `export default { ${limits}, handle: () => undefined }\n`
const LIMITS = {
  rate: (scope: string) => `rate: { limit: '1000000/1s', scope: '${scope}' }`,
  serial: (scope: string) => `serial: { by: 'sender', scope: '${scope}' }`,
}

const { cluster, statements } = await countedStore()

async function start(name: string, limits: string, atOnce: number): Promise<Contender> {
  const store = await cluster.database()
  const options = { store, inbox: 'batch', handler: handler(limits) } as const
  return await Contender.start(name, (url) => worker(url, atOnce, options), { senders: SENDERS })
}

for (const [name, limits] of Object.entries(LIMITS))
  for (const atOnce of [10, 50]) {
    const own = await start('its own', limits('worker'), atOnce)
    const fleet = await start("the fleet's", limits('fleet'), atOnce)
    const samples: { readonly own: Sample; readonly fleet: Sample; readonly of: number; readonly ofFleet: number }[] =
      []
    for (let round = 0; round <= ROUNDS; round += 1) {
      const before = await statements()
      const ofOwn = await own.work(CLINKS)
      const between = await statements()
      const ofFleet = await fleet.work(CLINKS)
      const asked = { of: (between - before) / CLINKS, ofFleet: ((await statements()) - between) / CLINKS }
      if (round > 0) samples.push({ own: ofOwn, fleet: ofFleet, ...asked })
    }
    await Promise.all([own.end(), fleet.end()])
    const of = (value: (sample: (typeof samples)[number]) => number): number => median(samples.map(value))
    console.log(`
${name}, ${atOnce} at once, ${CLINKS} clinks, ${ROUNDS} rounds
its own:     ${of((one) => one.own.perSecond).toFixed(0)} a second, ${of(({ of: asked }) => asked).toFixed(2)} statements a clink
the fleet's: ${of((one) => one.fleet.perSecond).toFixed(0)} a second, ${of(({ ofFleet }) => ofFleet).toFixed(2)} statements a clink: ${of((one) => one.fleet.perSecond / one.own.perSecond).toFixed(2)} of the rate at ${of((one) => one.fleet.cpu / one.own.cpu).toFixed(2)} of the CPU`)
  }
await cluster.remove()
rmSync(directory, { recursive: true })
