import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const docs = fileURLToPath(new URL('../../docs', import.meta.url))
const files = readdirSync(join(docs, 'decisions')).sort()
const read = (file: string): string => readFileSync(join(docs, file), 'utf8')

it('docs/architecture.md lists each decision once, in order, by its title', () => {
  const listed = [...read('architecture.md').matchAll(/^(\d+)\. \[(.*)\]\((decisions\/.*)\)$/gm)]
  expect(listed.map(([, , , link]) => link)).toEqual(files.map((file) => `decisions/${file}`))
  expect(listed.map(([, number, title, link = '']) => read(link).startsWith(`# ${number}. ${title}\n`))).toEqual(
    files.map(() => true),
  )
})

it('each decision has its number, date, question, alternatives, decision and price', () => {
  expect(files.length).toBeGreaterThan(40)
  const shape =
    /^# (\d+)\. .+\n\nDate: \d{4}-\d\d-\d\d\n\n## Question\n\n[^#]+\n## Alternatives\n\n- [^#]+\n## Decision\n\n[^#]+\n## Price\n\n[^#]+$/
  // People who work side by side take numbers beforehand, so there may be gaps for a while; no number is there twice.
  const numbers = new Set(files.map((file) => file.slice(0, 4)))
  expect(numbers.size).toBe(files.length)
  const misshapen = files.filter((file) => {
    const [, number = ''] = shape.exec(read(`decisions/${file}`)) ?? []
    return !file.startsWith(`${number.padStart(4, '0')}-`)
  })
  expect(misshapen).toEqual([])
})
