import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Function, type Node, type Program, parseSync, Visitor } from 'oxc-parser'

export const source = join(import.meta.dirname, '../../src')

/** One file of src, measured. Lines are raw where nothing else is said. */
export interface Figures {
  /** Below src. */
  readonly file: string
  /** Where it lies: a room of the heart, or a folder of src. */
  readonly room: string
  readonly lines: number
  /** Lines without comments and blanks. */
  readonly code: number
  readonly longest: { readonly lines: number; readonly at: string }
  readonly program: Program
}

/** All files of src, in the order of their names. */
export function figures(): readonly Figures[] {
  return readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .sort()
    .map(measure)
}

export const isHeart = ({ file }: Figures): boolean => file.startsWith('worker/')

function measure(file: string): Figures {
  const text = readFileSync(join(source, file), 'utf8')
  const { comments, program } = parseSync(file, text)
  let code = text
  for (const { start, end } of comments)
    code = code.slice(0, start) + text.slice(start, end).replaceAll(/[^\n]/g, ' ') + code.slice(end)
  return {
    file,
    room: roomOf(file),
    lines: text.split('\n').length - 1,
    code: code.split('\n').filter((line) => line.trim() !== '').length,
    longest: longestOf(program, file, text),
    program,
  }
}

function roomOf(file: string): string {
  const folders = file.split('/').slice(0, -1)
  return folders.slice(0, folders[0] === 'worker' ? 2 : 1).join('/') || 'src'
}

function longestOf(program: Program, file: string, text: string): Figures['longest'] {
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length
  let longest = { lines: 0, at: '' }
  const note = ({ start, end }: Pick<Node, 'start' | 'end'>): void => {
    const lines = lineAt(end) - lineAt(start) + 1
    if (lines > longest.lines) longest = { lines, at: `${file}:${lineAt(start)}` }
  }
  new Visitor({
    ArrowFunctionExpression: note,
    FunctionDeclaration: (node: Function) => note(node),
    FunctionExpression: (node: Function) => note(node),
  }).visit(program)
  return longest
}
