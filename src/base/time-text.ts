// As they were when the worker was loaded: a handler may put others in their place.
const OwnDate = Date
const { UTC, parse } = Date

/** A moment as a text names it. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Milliseconds: what the text leaves out may be almost as much. */
  readonly grain: number
}

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)? ?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?$/i

/** The last texts that were read, the oldest of them the next to go: the times of a clink are read several times over, each in turn. */
const read: { text: string; moment: Moment | undefined }[] = []
const READ = 4
let next = 0

/**
 * The one reader of times that the service tells (ISO 8601). A time without a zone is UTC, wherever this machine stands; undefined
 * for what is no time.
 */
export function readMoment(text: string | null | undefined): Moment | undefined {
  if (typeof text !== 'string') return undefined
  for (const known of read) if (known.text === text) return known.moment
  const moment = momentOf(text)
  read[next] = { text, moment }
  next = (next + 1) % READ
  return moment
}

function momentOf(text: string): Moment | undefined {
  const parts = ISO.exec(text.trim())
  if (parts === null) return undefined
  const [, year, month, day, hour, minute, second, fraction, , sign, zoneHours = '0', zoneMinutes = '0'] = parts
  const fields = [year, month, day, hour, minute, second].map((field) => Number(field ?? 0))
  const [years = 0, months = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = fields
  const ms = Math.floor(Number(`0.${fraction ?? '0'}`) * 1_000)
  const local = UTC(years, months - 1, days, hours, minutes, seconds, ms)
  // `Date` would carry a day that no calendar has, or an hour that no day has, over to the next one.
  const isReal = months <= 12 && new OwnDate(local).getUTCDate() === days && hours < 24 && minutes < 60 && seconds < 60
  if (!isReal) return undefined
  const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -60_000 : 60_000)
  return { at: local - zone, grain: grainOf(second, fraction) }
}

function grainOf(second: string | undefined, fraction: string | undefined): number {
  if (second === undefined) return 60_000
  return fraction === undefined ? 1_000 : Math.max(1, 10 ** (3 - fraction.length))
}

/** As `readMoment`, in milliseconds since 1970. */
export function readTime(text: string | null | undefined): number | undefined {
  return readMoment(text)?.at
}

/** The time in a header of HTTP. The shape is looked at first: a date may be made of nearly everything (`-5`, `v1`). */
export function readHttpDate(text: string | undefined): number | undefined {
  if (text === undefined || !/^[A-Z][a-z]{2,8},? .*\d\d:\d\d:\d\d/.test(text)) return undefined
  const time = parse(text)
  return Number.isNaN(time) ? undefined : time
}

let last = { ms: 0, text: new OwnDate(0).toISOString() }

/** The text of a moment, as services and logs take it. Many log lines are of the same millisecond. */
export function isoTime(ms: number): string {
  if (ms !== last.ms) last = { ms, text: new OwnDate(ms).toISOString() }
  return last.text
}
