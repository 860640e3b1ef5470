/**
 * Counts what the layout of the sources is judged by, per room and in all: files, lines, the longest file and function, callbacks handed to
 * constructors of the heart, and the path of one clink in batch mode.
 * Run: npm run count
 */
import { callbacks } from './callbacks.ts'
import { pathOfOneClink } from './clink-path.ts'
import { figures, isHeart, type Figures } from './figures.ts'
import { wayOfOneClink } from './way.ts'

const files = figures()
const taken = callbacks(files.filter(isHeart))

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)
const cells = (numbers: readonly number[]): string => numbers.map((one) => String(one).padStart(7)).join('')

function row(name: string, some: readonly Figures[], callbacks: number): void {
  const numbers = [some.length, sum(some.map(({ lines }) => lines)), sum(some.map(({ code }) => code)), callbacks]
  const [file] = some.toSorted((a, b) => b.lines - a.lines)
  const [longest] = some.map(({ longest }) => longest).sort((a, b) => b.lines - a.lines)
  if (file === undefined || longest === undefined) throw new Error(`${name} has no files`)
  console.log(`${name.padEnd(20)}${cells(numbers)}  ${file.lines} ${file.file}, ${longest.lines} ${longest.at}`)
}

console.log(`${' '.repeat(20)}  files  lines   code   take  longest file, longest function`)
for (const [room, some] of [...Map.groupBy(files, ({ room }) => room)].sort(([a], [b]) => (a < b ? -1 : 1)))
  row(room, some, taken.filter((one) => one.room === room).length)
row('the heart', files.filter(isHeart), taken.length)
row(
  'without emulator',
  files.filter(({ room }) => room !== 'emulator'),
  taken.length,
)
console.log('code: lines without comments and blanks; take: functions that constructors of the heart take\n')
for (const [room, some] of Map.groupBy(taken, ({ room }) => room))
  console.log(`${room} takes ${some.map(({ at }) => at).join(' ')}`)

const mention = wayOfOneClink()
const path = (await pathOfOneClink())
  .filter(({ file }) => /^(?:worker|ledger|runners|handlers)\//.test(file))
  .map((one) => ({ ...one, lines: files.find(({ file }) => file === one.file)?.lines ?? 0 }))
const said = (some: readonly { readonly lines: number }[]): string =>
  `${some.length} files, ${sum(some.map(({ lines }) => lines))} lines`
console.log(`\nthe path of one clink in batch mode: ${said(path)}`)
console.log(`of which more than short answers were called: ${said(path.filter(({ isAsked }) => !isAsked))}`)
console.log(`to be read, by docs/architecture.md: ${said(files.filter(({ file }) => mention(file) === 'listed'))}`)
for (const { file, isAsked, lines } of path)
  console.log(`${cells([lines])}  ${isAsked ? 'asked' : '     '}  ${(mention(file) ?? '-').padEnd(6)}  ${file}`)
