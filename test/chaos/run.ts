/** Kills workers of a fleet and its database for as long as is wanted. Run: npm run chaos -- --minutes 10 */
import { parseArgs } from 'node:util'
import { Cluster } from '../support/postgres.ts'
import { playFleet } from './fleet-chaos.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    'per-second': { type: 'string', default: '10' },
  },
})
const cluster = new Cluster()
await cluster.start()
const options = {
  seconds: Number(values.minutes) * 60,
  seed: Number(values.seed),
  perSecond: Number(values['per-second']),
}
try {
  const { clinks, crashes, cuts, faults, runs, stories } = await playFleet(cluster, {
    ...options,
    say: (line) => console.log(line),
  })
  for (const line of [...faults, ...stories]) console.log(line)
  console.log(
    `${clinks} clinks, ${runs} runs, ${cuts} workers killed or stopped, ${crashes} crashes of the database: ${faults.length} faults`,
  )
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  await cluster.remove()
}
