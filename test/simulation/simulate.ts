import { fork } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { runSeed, type SeedOptions, type Verdict } from './run-seed.ts'
import type { Vocabulary } from './words.ts'
import { ALL_WORDS, FLEET } from './world.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    /** How many processes play the seeds. */
    jobs: { type: 'string', default: String(availableParallelism()) },
    /** Of a job: only each so manyth seed. */
    step: { type: 'string', default: '1' },
    /** `old`: nothing that was learnt later; `all`; `fleet`: three members of one, with what else fits; or names of words, by commas, that are in every seed. */
    vocabulary: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
})
// No machine's own time may be taken for the service's.
process.env['TZ'] = 'Asia/Kolkata'

const totalsSchema = z.object({
  seeds: z.number(),
  requests: z.number(),
  runs: z.number(),
  reruns: z.number(),
  keyActs: z.number(),
  lasted: z.number(),
  known: z.number(),
  failed: z.number(),
  broken: z.record(z.string(), z.number()),
  /** In how many seeds each word was. */
  words: z.record(z.string(), z.number()),
})
type Totals = z.infer<typeof totalsSchema>

const none = (): Totals => ({
  seeds: 0,
  requests: 0,
  runs: 0,
  reruns: 0,
  keyActs: 0,
  lasted: 0,
  known: 0,
  failed: 0,
  broken: {},
  words: {},
})

/** Plays seeds in this process and says which of them break a rule, and how to play them again. */
async function play(from: number, end: number, step: number): Promise<Totals> {
  const totals = none()
  const options: SeedOptions = {
    ...(values.trace ? { trace: (line: string): void => console.log(line) } : {}),
    ...(values.vocabulary === undefined ? {} : { vocabulary: vocabularyOf(values.vocabulary) }),
  }
  for (let seed = from; seed < end; seed += step) {
    const verdict = await runSeed(seed, options).catch((error: unknown) => error)
    if (!isVerdict(verdict)) {
      add(totals, { ...none(), seeds: 1, failed: 1, broken: { throws: 1 } })
      console.log(`seed ${seed} throws: ${replayOf(seed)}\n`, verdict)
      continue
    }
    const { requests, runs, reruns, keyActs, lasted, known, words, breaches } = verdict
    const said = Object.fromEntries(words.map((word) => [word, 1]))
    add(totals, { ...none(), seeds: 1, requests, runs, reruns, keyActs, lasted, known: known.length, words: said })
    if (breaches.length === 0) continue
    totals.failed += 1
    for (const rule of new Set(breaches.map((breach) => breach.rule)))
      totals.broken[rule] = (totals.broken[rule] ?? 0) + 1
    const lines = breaches.slice(0, 5).map(({ rule, at, life, text }) => {
      return `  ${rule} at ${(at / 1_000).toFixed(3)} ${life ?? ''}: ${text}`
    })
    const title = `seed ${seed} (${words.join(' ')}) breaks ${breaches.length} rules: ${replayOf(seed)}`
    console.log([title, ...lines].join('\n'))
  }
  return totals
}

function isVerdict(outcome: unknown): outcome is Verdict {
  return typeof outcome === 'object' && outcome !== null && 'breaches' in outcome
}

function replayOf(seed: number): string {
  const spoken = values.vocabulary === undefined ? '' : ` --vocabulary ${values.vocabulary}`
  return `npm run simulate -- --from ${seed} --seeds 1 --trace${spoken}`
}

/** Spreads the seeds over processes, each of which takes every so manyth. */
async function spread(from: number, end: number, jobs: number): Promise<Totals> {
  const totals = none()
  await Promise.all(
    Array.from({ length: jobs }, async (_, job) => {
      const options = ['--from', from + job, '--seeds', end - from - job, '--step', jobs, '--jobs', 1]
      const spoken = values.vocabulary === undefined ? [] : ['--vocabulary', values.vocabulary]
      const child = fork(fileURLToPath(import.meta.url), [...options.map(String), ...spoken])
      let told = false
      child.on('message', (message) => {
        add(totals, totalsSchema.parse(message))
        told = true
      })
      // Its last word may come after its end.
      const ends = ['exit', 'disconnect'].map(async (end) => await once(child, end))
      await Promise.all(ends)
      if (!told) throw new Error(`a process of the simulation ended with ${child.exitCode} before it was through`)
    }),
  )
  return totals
}

function vocabularyOf(text: string): Vocabulary {
  if (text === 'old' || text === 'own' || text === 'all' || text === FLEET) return text
  return text.split(',').map((name) => {
    const word = ALL_WORDS.find((known) => known === name)
    if (word === undefined) throw new Error(`No word ${name}: ${ALL_WORDS.join(', ')}`)
    return word
  })
}

function add(totals: Totals, { broken, words, ...more }: Totals): void {
  for (const name of ['seeds', 'requests', 'runs', 'reruns', 'keyActs', 'lasted', 'known', 'failed'] as const)
    totals[name] += more[name]
  for (const [rule, count] of Object.entries(broken)) totals.broken[rule] = (totals.broken[rule] ?? 0) + count
  for (const [word, count] of Object.entries(words)) totals.words[word] = (totals.words[word] ?? 0) + count
}

// In order, so that no directory stays behind. A job ends with whoever started it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
process.once('disconnect', () => process.exit())

const from = Number(values.from)
const end = from + Number(values.seeds)
const jobs = Math.min(Number(values.jobs), end - from)
const began = performance.now()
const totals = jobs > 1 ? await spread(from, end, jobs) : await play(from, end, Number(values.step))
if (totals.failed > 0) process.exitCode = 1
if (process.send === undefined) {
  const { seeds, requests, runs, reruns, keyActs, lasted, known, failed, broken, words } = totals
  const seconds = (performance.now() - began) / 1_000
  console.log(
    `${seeds} seeds in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(0)} a second): ${requests} requests, ` +
      `${runs} runs, ${reruns} without a claim, ${keyActs} acts on keys, ${Math.round(lasted / 3_600_000)} virtual hours; ${known} known breaches, ${failed} failed` +
      Object.entries(broken)
        .map(([rule, count]) => `, ${rule} in ${count}`)
        .join(''),
  )
  const spoken = Object.entries(words).map(([word, count]) => `${word} in ${count}`)
  if (spoken.length > 0) console.log(`words: ${spoken.join(', ')}`)
} else {
  process.send(totals)
  process.disconnect()
}
