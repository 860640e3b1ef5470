/** Changes the worker in small ways and sees that a test notices each. Run: npm run mutants -- [PART…] [--file FILE]… [--again] [--concurrency N] */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { explained } from './explained/all.ts'
import { parts, type Part } from './parts.ts'
import { mutantsOf } from './stryker.ts'
import { judgeSurvivors, type Mutant, type Survivor } from './survivors.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    /** Only these files of the parts. */
    file: { type: 'string', multiple: true },
    /** Only mutants of which the last run does not tell what becomes of them. */
    again: { type: 'boolean', default: false },
    /** How many processes run tests. */
    concurrency: { type: 'string', default: '2' },
  },
})

const textOf = (file: string): string => readFileSync(file, 'utf8')
const count = (mutants: readonly Mutant[], became: Mutant['became']): number =>
  mutants.filter((mutant) => mutant.became === became).length

function chosen(): readonly Part[] {
  const isIn = (part: Part, name: string): boolean => part.name === name || part.name.startsWith(`${name}/`)
  const unknown = positionals.find((name) => !parts.some((part) => isIn(part, name)))
  if (unknown !== undefined) throw new Error(`there is no part ${unknown}: ${parts.map(({ name }) => name).join(', ')}`)
  const named = parts.filter((part) =>
    positionals.length === 0 ? part.isLong !== true : positionals.some((name) => isIn(part, name)),
  )
  if (values.file === undefined) return named
  const fewer = named.map((part) => ({ ...part, files: part.files.filter((file) => values.file?.includes(file)) }))
  const left = fewer.filter(({ files }) => files.length > 0)
  if (left.length === 0) throw new Error(`no part has ${values.file.join(', ')}`)
  return left
}

function show({ became, file, line, mutator, number, original, replacement }: Survivor): void {
  console.log(`\n  ${file}:${number} ${mutator}, ${became}\n    ${line}\n    ${original}\n    → ${replacement}`)
}

let failed = 0
const strange = explained.filter(({ file }) => parts.every(({ files }) => !files.includes(file)))
for (const { file } of strange) console.log(`an explanation is about ${file}, which no part has`)
failed += strange.length
for (const part of chosen()) {
  const began = performance.now()
  console.log(`${part.name}: ${part.files.length} files, judged by ${part.judges.length} files of tests`)
  const all = await mutantsOf(part, { concurrency: Number(values.concurrency), isAgain: values.again })
  // What an earlier run has left of other files is told as well.
  const mutants = all.filter(({ file }) => part.files.includes(file))
  for (const [file, of] of Map.groupBy(mutants, ({ file }) => file)) {
    const numbers = (['killed', 'survived', 'not covered'] as const).map((became) => `${count(of, became)} ${became}`)
    console.log(`  ${file}: ${numbers.join(', ')}`)
  }
  const about = explained.filter(({ file }) => part.files.includes(file))
  const { unexplained, wrong } = judgeSurvivors(mutants, about, textOf)
  for (const survivor of unexplained) show(survivor)
  for (const line of wrong) console.log(`\n  ${line}`)
  const seconds = Math.round((performance.now() - began) / 1_000)
  console.log(
    `${part.name}: ${mutants.length} mutants in ${seconds} s, ${unexplained.length} unexplained, ${wrong.length} wrong explanations\n`,
  )
  failed += unexplained.length + wrong.length
}
process.exit(failed === 0 ? 0 : 1)
