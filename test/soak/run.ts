/**
 * Has the built worker work a mix of clinks for long, and looks whether anything of it grows. Run after `npm run build`: npm run soak -- --clinks
 * 500000. With `--leak N` a handler keeps N numbers of each clink, to see it found; `--flag` is given to Node.
 */
import { parseArgs } from 'node:util'
import { SERIES } from './judge.ts'
import { soak } from './soak.ts'

const { values } = parseArgs({
  options: {
    clinks: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '50' },
    leak: { type: 'string', default: '0' },
    flag: { type: 'string', multiple: true },
  },
})
console.log(['clinks', ...SERIES].map((name) => name.padStart(11)).join(' '))
const { acts, exitCode, growth, service } = await soak({
  clinks: Number(values.clinks),
  rounds: Number(values.rounds),
  leaked: Number(values.leak),
  flags: values.flag ?? [],
  say: (sample) =>
    console.log(
      [String(sample.clinks), ...SERIES.map((series) => sample[series].toFixed(1))]
        .map((text) => text.padStart(11))
        .join(' '),
    ),
})
const counted = Object.entries({ ...service, ...acts }).map(([what, many]) => `${what} ${many}`)
console.log(`\n${counted.join(', ')}; the worker ended with ${exitCode}\n`)
for (const { from, grows, series, to } of growth)
  console.log(
    `${series.padEnd(12)} ${from.toFixed(1).padStart(9)} → ${to.toFixed(1).padStart(9)}${grows ? '  GROWS' : ''}`,
  )
process.exitCode = exitCode === 0 && growth.every(({ grows }) => !grows) ? 0 : 1
