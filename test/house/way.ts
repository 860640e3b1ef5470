import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { source } from './figures.ts'

/** How docs/architecture.md names a file on the way of one clink: in its list, or beside it. */
export type Mention = 'listed' | 'beside' | undefined

/** Reads the section of docs/architecture.md. A name without a folder lies beside the file with which its entry begins. */
export function wayOfOneClink(): (file: string) => Mention {
  const document = readFileSync(join(source, '../docs/architecture.md'), 'utf8')
  const section = document.split('\n## ').find((part) => part.startsWith('The way of one clink\n')) ?? ''
  const [list = '', beside = ''] = section.split('\nBeside the way:')
  const listed = new Set(
    list.split(/^(?=\d+\. )/m).flatMap((entry) => {
      const [first = '', ...more] = namesIn(entry)
      return [first, ...more.map((name) => join(dirname(first), name))].map((name) => name.replace(/^src\//, ''))
    }),
  )
  const others = new Set(namesIn(beside))
  return (file) => (listed.has(file) ? 'listed' : others.has(basename(file)) ? 'beside' : undefined)
}

function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/`([\w./-]+\.ts)`/g)].map(([, name = '']) => name)
}
