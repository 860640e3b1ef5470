import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const source = join(import.meta.dirname, '../../src')
/** A status that is compared, or a set of them. */
const JUDGED = /\.status\s*(?:[=!]==|[<>]=?)\s*\d|\[\s*[45]\d\d\s*,/

/** Those who answer with a status, and the one file that reads the answers of applications, which are no answers of Clink. */
const OTHERS = ['emulator/', 'server/', 'runners/application-outcome.ts']

it('what a status means is asked of src/clink/verdicts.ts, and judged nowhere else', async () => {
  const files: string[] = []
  for await (const file of glob('**/*.ts', { cwd: source })) files.push(file)
  const judging = files
    .filter((file) => !['clink/', ...OTHERS].some((other) => file.startsWith(other)))
    .flatMap((file) => {
      const lines = readFileSync(join(source, file), 'utf8').split('\n')
      return lines.flatMap((line, n) => (JUDGED.test(line) ? [`${file}:${n + 1}: ${line.trim()}`] : []))
    })
  expect(files.length).toBeGreaterThan(100)
  expect(judging).toEqual([])
})
