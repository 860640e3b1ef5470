/**
 * What a clink costs: the built worker, with its journal and its log, beside bare loops that claim and complete and do nothing else, each
 * against a cheap service in a process of its own. In turn, several rounds; the ratios are what to look at. With `--runners`, what threads add to
 * that as well; with `--watched`, what the HTTP server, what it measures and an open page do: by several processes of each kind, since two of one kind
 * differ by as much. Run: npm run bench
 */
import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { Contender, directory, loop, median, worker, type Sample } from './contenders.ts'

const {
  quick,
  rounds: wanted,
  clinks: many,
  runners,
  watched,
} = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    clinks: { type: 'string' },
    runners: { type: 'boolean', default: false },
    watched: { type: 'boolean', default: false },
  },
}).values
const ROUNDS = Number(wanted ?? (quick ? 3 : 5))
const CLINKS = Number(many ?? (quick ? 2_000 : 10_000))
/** Processes of each kind, where kinds differ by little. */
const PROCESSES = 4
for (const atOnce of [10, 50]) {
  const contenders = await Promise.all([
    Contender.start('undici loop', (url) => loop('undici', url, atOnce)),
    Contender.start('got loop', (url) => loop('got', url, atOnce)),
    Contender.start('clink-worker', (url) => worker(url, atOnce)),
    ...(runners
      ? [Contender.start('clink-worker, in threads', (url) => worker(url, atOnce, { runner: 'thread' }))]
      : []),
    ...Array.from({ length: watched ? PROCESSES : 0 }).flatMap(() => [
      Contender.start('clink-worker, without a server', (url) => worker(url, atOnce, { server: 'off' })),
      Contender.start('clink-worker, watched', (url) => worker(url, atOnce, { server: 'watched' })),
    ]),
  ])
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round <= ROUNDS; round += 1) {
    // Each is the first, and the last, as often as the others.
    const first = round % contenders.length
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      const sample = await contender.work(CLINKS)
      if (round > 0) samples.get(contender.name)?.push(sample)
    }
  }
  await Promise.all(contenders.map(async (contender) => await contender.end()))
  const of = (name: string, what: keyof Sample): number =>
    median((samples.get(name) ?? []).map((sample) => sample[what]))
  console.log(
    `\n${atOnce} at once, ${CLINKS} clinks, ${ROUNDS} rounds   per second    CPU µs   polls a clink   RSS MiB   of the undici loop`,
  )
  for (const name of samples.keys()) {
    const rate = of(name, 'perSecond') / of('undici loop', 'perSecond')
    const cost = of(name, 'cpu') / of('undici loop', 'cpu')
    const spread = (samples.get(name) ?? []).map(({ perSecond }) => perSecond)
    console.log(
      name.padEnd(40),
      of(name, 'perSecond').toFixed(0).padStart(10),
      of(name, 'cpu').toFixed(0).padStart(9),
      of(name, 'polls').toFixed(2).padStart(15),
      of(name, 'rss').toFixed(0).padStart(9),
      `  ${rate.toFixed(2)} of its rate, ${cost.toFixed(1)} × its CPU (${Math.min(...spread).toFixed(0)}–${Math.max(...spread).toFixed(0)} a second)`,
    )
  }
  if (watched) {
    const ratio = (what: keyof Sample): string =>
      (of('clink-worker, watched', what) / of('clink-worker, without a server', what)).toFixed(2)
    console.log(`watched: ${ratio('perSecond')} of the rate without a server, ${ratio('cpu')} × its CPU`)
  }
}
rmSync(directory, { recursive: true })
