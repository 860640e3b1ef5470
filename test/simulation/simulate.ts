import { parseArgs } from 'node:util'
import { runSeed } from './run-seed.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    trace: { type: 'boolean', default: false },
  },
})
const from = Number(values.from)
const seeds = Number(values.seeds)
const trace = values.trace ? { trace: (line: string): void => console.log(line) } : {}
const began = performance.now()
const totals = { requests: 0, runs: 0, lasted: 0, failed: 0, known: 0 }
const broken = new Map<string, number>()
for (let seed = from; seed < from + seeds; seed += 1) {
  const verdict = await runSeed(seed, trace)
  totals.requests += verdict.requests
  totals.runs += verdict.runs
  totals.lasted += verdict.lasted
  totals.known += verdict.known.length
  if (verdict.breaches.length === 0) continue
  totals.failed += 1
  for (const rule of new Set(verdict.breaches.map((breach) => breach.rule)))
    broken.set(rule, (broken.get(rule) ?? 0) + 1)
  console.log(
    `seed ${seed} breaks ${verdict.breaches.length} rules: npm run simulate -- --from ${seed} --seeds 1 --trace`,
  )
  for (const { rule, at, life, text } of verdict.breaches.slice(0, 5)) {
    console.log(`  ${rule} at ${(at / 1_000).toFixed(3)} ${life ?? ''}: ${text}`)
  }
}
const seconds = (performance.now() - began) / 1_000
console.log(
  `${seeds} seeds in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(0)} a second): ${totals.requests} requests, ` +
    `${totals.runs} runs, ${Math.round(totals.lasted / 3_600_000)} virtual hours; ${totals.known} known breaches, ${totals.failed} failed` +
    [...broken].map(([rule, count]) => `, ${rule} in ${count}`).join(''),
)
if (totals.failed > 0) process.exitCode = 1
