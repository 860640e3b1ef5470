/** Gives the worker what nobody means to send it. Run: npm run fuzz -- --runs 10000 [--seed N [--path P]] [--only pages,headers] */
import { parseArgs } from 'node:util'
import { parts } from './parts.ts'
import { tryPart } from './try-part.ts'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    path: { type: 'string' },
    only: { type: 'string' },
  },
})
const names = values.only?.split(',') ?? parts.map(({ name }) => name)
const chosen = names.map((name) => {
  const part = parts.find((one) => one.name === name)
  if (part === undefined) throw new Error(`there is no part ${name}: ${parts.map((one) => one.name).join(', ')}`)
  return part
})
const seed = values.seed === undefined ? Date.now() & 0x7f_ff_ff_ff : Number(values.seed)
// Where one failure is looked at again, nothing is tried after it.
const runs = values.path === undefined ? Number(values.runs) : 1
// What nobody waits for any more may fail all the same, and would end a worker.
let escaped = 0
process.on('unhandledRejection', (reason) => {
  escaped += 1
  console.log('a rejection that nobody handles:', reason)
})
let failed = 0
for (const part of chosen) {
  const began = performance.now()
  const { failure, runs: tried, seen } = await tryPart(part, { runs, seed, path: values.path })
  const seconds = ((performance.now() - began) / 1_000).toFixed(1)
  const became = [...seen].toSorted(([, one], [, other]) => other - one).map(([what, count]) => `${what} ${count}`)
  console.log(`${part.name}: ${tried} inputs in ${seconds} s, seed ${seed}: ${became.join(', ')}`)
  if (failure === undefined) continue
  failed += 1
  console.log(failure)
}
console.log(
  `${chosen.length} parts, ${failed} failed${escaped === 0 ? '' : `, ${escaped} rejections that nobody handles`}`,
)
process.exit(failed + escaped === 0 ? 0 : 1)
