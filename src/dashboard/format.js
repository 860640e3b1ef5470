const NUMBER = new Intl.NumberFormat('en')

export const count = (number) => NUMBER.format(number)

/** `0.4 s`, `12 s`, `3 min`, `2 h 05`. */
export function span(ms) {
  if (ms === null || ms === undefined) return '–'
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 9_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 100) return `${seconds} s`
  const minutes = Math.round(ms / 60_000)
  if (minutes < 100) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${String(minutes % 60).padStart(2, '0')}` : `${Math.round(hours / 24)} days`
}

/** What is left of a time, as it runs down: `4:12`. */
export function left(ms) {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds >= 5_940) return span(ms)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

export const clock = (at) => new Date(at).toLocaleTimeString('en-GB')

/** With the day where it is another one. */
export function time(at) {
  const date = new Date(at)
  const isToday = date.toDateString() === new Date().toDateString()
  return isToday ? clock(at) : `${date.toISOString().slice(0, 10)} ${clock(at)}`
}

/** The clock of who has noted it may be another one: what lies in the future is not known. */
export const ago = (at, now) => (at > now + 5_000 ? '?' : `${span(Math.max(0, now - at))} ago`)

export function size(bytes) {
  if (bytes < 1_000) return `${bytes} B`
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(0)} kB`
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`
  return `${(bytes / 1_000_000_000).toFixed(1)} GB`
}

export const percent = (part) => `${(part * 100).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`

export const some = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`
