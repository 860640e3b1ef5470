/** Upgrades three workers that remember alone to a fleet, under load. Run: npm run upgrade -- --minutes 3 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Cluster } from '../support/postgres.ts'
import { playUpgrade } from './rolling-upgrade.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '3' },
    'per-second': { type: 'string', default: '50' },
    // The last one in which no state.url has an effect.
    from: { type: 'string', default: '67c605f1fdb3a5f489b9be7377679bc2ab9d9099' },
  },
})
const root = join(import.meta.dirname, '../..')
const before = mkdtempSync(join(tmpdir(), 'clink-worker-before-'))
const archive = execFileSync('git', ['archive', values.from], { cwd: root, maxBuffer: 2 ** 28 })
execFileSync('tar', ['-x', '-C', before], { input: archive })
// It asks for nothing that is not here, and for the same versions.
symlinkSync(join(root, 'node_modules'), join(before, 'node_modules'))
const cluster = new Cluster()
try {
  await cluster.start()
  const { again, clinks, excused, faults, letters, rows, runs } = await playUpgrade(cluster, {
    seconds: Number(values.minutes) * 60,
    perSecond: Number(values['per-second']),
    before: join(before, 'src/cli.ts'),
    say: (line) => console.log(line),
  })
  for (const fault of faults) console.log(fault)
  console.log(`rows that are left (parts|steps|notes): ${rows}`)
  console.log(
    `${clinks} clinks, ${runs} runs, ${again} done again, ${excused} failures that a paused route excused, ${letters} dead letters known to all: ${faults.length} faults`,
  )
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  await cluster.remove()
  rmSync(before, { recursive: true, force: true })
}
