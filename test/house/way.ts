import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { source } from './figures.ts'

/** How docs/architecture.md names a file on the way of one clink: in its list, or beside it. */
export type Mention = 'listed' | 'beside' | undefined

/** The files that the section of docs/architecture.md lists, in their order, from `src`. */
export const listedFiles = (): readonly string[] =>
  [...sectionOfWay().matchAll(/^\d+\. `src\/([\w./-]+)`/gm)].map(([, file = '']) => file)

/** A name without a folder stands beside the way, whatever its folder is. */
export function wayOfOneClink(): (file: string) => Mention {
  const [, beside = ''] = sectionOfWay().split('\nBeside the way:')
  const listed = new Set(listedFiles())
  const others = new Set(namesIn(beside))
  return (file) => (listed.has(file) ? 'listed' : others.has(basename(file)) ? 'beside' : undefined)
}

function sectionOfWay(): string {
  const document = readFileSync(join(source, '../docs/architecture.md'), 'utf8')
  return document.split('\n## ').find((part) => part.startsWith('The way of one clink\n')) ?? ''
}

function namesIn(text: string): readonly string[] {
  return [...text.matchAll(/`([\w./-]+\.ts)`/g)].map(([, name = '']) => name)
}
