import { stripVTControlCharacters } from 'node:util'
import { humanDuration } from '../base/duration.ts'
import { OWN_CODE } from '../base/installed.ts'
import { painter, type Paint } from './colour.ts'
import { printable } from './printable.ts'

type Line = Readonly<Record<string, unknown>>

const LEVEL_COLOUR: Readonly<Record<string, Paint>> = {
  trace: 'dim',
  debug: 'dim',
  info: 'green',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
}
/** Shown in places of their own, or not at all. */
const PLACED = new Set([
  'time',
  'level',
  'event',
  'message',
  'fields',
  'clink',
  'group',
  'handler',
  'attempt',
  'duration',
  'error',
])
/** An error says them again. */
const WORDS = new Set(['reason', 'said'])
const DURATIONS = new Set(['lease', 'left', 'headroom', 'wait', 'waited', 'since', 'after'])

/** A formatter of log lines for people: one line a fact, stacks below it. Takes the JSON line as the logger made it. */
export function prettyLines(color: boolean): (json: string) => string {
  const paint = painter(color)
  return (json) => {
    const line: Line = JSON.parse(json)
    const level = text(line['level'])
    const shade = LEVEL_COLOUR[level] ?? 'dim'
    const parts = [
      paint('dim', clockTime(text(line['time']))),
      paint(shade, level.padEnd(5)),
      eventOf(line, paint, shade),
      ...whereOf(line, paint),
      ...(line['message'] === undefined ? [] : [printable(text(line['message']))]),
      ...fieldsOf(line, paint),
    ]
    return `${parts
      .filter((part) => stripVTControlCharacters(part) !== '')
      .join(' ')
      .trimEnd()}${errorOf(line, paint)}\n`
  }
}

function eventOf(line: Line, paint: ReturnType<typeof painter>, shade: Paint): string {
  const padded = text(line['event']).padEnd(18)
  return shade === 'green' ? padded : paint(shade, padded)
}

function whereOf(line: Line, paint: ReturnType<typeof painter>): string[] {
  const { clink, group, handler, attempt, duration } = line
  return [
    ...(clink === undefined ? [] : [paint('cyan', printable(text(clink)))]),
    ...(group === undefined ? [] : [printable(text(group))]),
    ...(handler === undefined ? [] : [paint('bold', printable(text(handler)))]),
    ...(typeof attempt === 'number' && attempt > 1 ? [paint('yellow', `#${attempt}`)] : []),
    ...(typeof duration === 'number' ? [humanDuration(duration)] : []),
  ]
}

function fieldsOf(line: Line, paint: ReturnType<typeof painter>): string[] {
  const { message }: Line = Object(line['error'])
  const own = Object.entries(line).filter(
    ([name, value]) =>
      !PLACED.has(name) && value !== false && !isEmpty(value) && !(WORDS.has(name) && value === message),
  )
  const handlers = Object.entries(Object(line['fields']))
  return [...own, ...handlers].map(([name, value]) => field(printable(name), value, paint))
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0
}

function field(name: string, value: unknown, paint: ReturnType<typeof painter>): string {
  const shown = DURATIONS.has(name) && typeof value === 'number' ? humanDuration(value) : text(value)
  const safe = printable(shown)
  return `${paint('dim', `${name}=`)}${/[\s"=]/.test(safe) && typeof value === 'string' ? JSON.stringify(safe) : safe}`
}

function errorOf(line: Line, paint: ReturnType<typeof painter>): string {
  const { message, stack }: Line = Object(line['error'])
  if (message === undefined) return ''
  const said = ` ${paint('red', printable(text(message)))}`
  if (typeof stack !== 'string') return said
  return (
    said +
    tellingFrames(stack)
      .map((frame) => `\n    ${paint('dim', printable(frame))}`)
      .join('')
  )
}

/** The frames of a handler's own code, or all of them where none is. */
function tellingFrames(stack: string): readonly string[] {
  const frames = stack.split('\n').flatMap((row) => (/^\s+at /.test(row) ? [row.trim()] : []))
  const theirs = frames.filter((frame) => !frame.includes(OWN_CODE.href) && !/node:|node_modules/.test(frame))
  return theirs.length > 0 ? theirs : frames
}

function clockTime(iso: string): string {
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  const two = (n: number, width = 2): string => String(n).padStart(width, '0')
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}`
}

function text(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join(', ')
  return JSON.stringify(value) ?? ''
}
