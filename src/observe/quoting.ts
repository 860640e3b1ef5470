import { tryTo } from '../base/try-to.ts'

/** So much in common, and a text shows what a clink says; less is in any two texts of a language. */
const RUN = 8
const SHORTEST_WORD = 4
const SHORTEST_QUOTED = 3
const DEEPEST = 8

/**
 * Whether a text shows a part of a clink's content: a run of it, a word of it with a digit (numbers, passwords, ids),
 * or a part between quotes, as `JSON.parse` and most validators show it. If the content is JSON, the texts in it
 * count as well.
 */
export function quotes(text: string, content: string): boolean {
  const shown = plain(text)
  return [content, ...(tryTo(() => leavesOf(JSON.parse(content), 0)) ?? [])].some((part) => shows(shown, plain(part)))
}

function shows(text: string, said: string): boolean {
  if (said === '') return false
  if (said.length < RUN) return quotedIn(text).some((part) => part === said) || hasWord(text, said)
  return hasRun(text, said) || hasWord(text, said) || quotedIn(text).some((part) => said.includes(part))
}

function hasRun(text: string, said: string): boolean {
  const runs = new Set<string>()
  for (let at = 0; at + RUN <= said.length; at += 1) runs.add(said.slice(at, at + RUN))
  for (let at = 0; at + RUN <= text.length; at += 1) if (runs.has(text.slice(at, at + RUN))) return true
  return false
}

function hasWord(text: string, said: string): boolean {
  const words = said.split(/[^\p{L}\p{N}]+/u).filter((word) => word.length >= SHORTEST_WORD && /\p{N}/u.test(word))
  return words.some((word) => text.includes(word))
}

function quotedIn(text: string): readonly string[] {
  return [...text.matchAll(/(?<open>["'`]).+?\k<open>|[“‘«].+?[”’»]/gsu)]
    .map(([part]) => part.slice(1, -1).trim())
    .filter((part) => part.length >= SHORTEST_QUOTED)
}

function leavesOf(value: unknown, depth: number): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null || depth >= DEEPEST) return []
  return Object.values(value).flatMap((item) => leavesOf(item, depth + 1))
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/\s+/g, ' ').trim()
}
