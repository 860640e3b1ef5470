import { readdir, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'

/** What was said for a clink. */
export interface ClinkLine {
  readonly clink: string
  readonly attempt: number
  readonly handler: string
  /** Wall time in milliseconds since 1970. */
  readonly at: number
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields?: Readonly<Record<string, unknown>>
}

/**
 * The lines of one hour: `2026-11-27T07.lines` holds them as JSON, those of one clink that were written together in one piece;
 * `2026-11-27T07.index` says of each piece whose it is and where: `<id> <offset> <length>`. The index is written after the lines.
 */
export interface Segment {
  /** `2026-11-27T07`, in UTC: names sort as times do. */
  readonly name: string
  readonly lines: string
  readonly index: string
  /** Bytes of both. */
  readonly size: number
}

const NAME = /^(\d{4}-\d\d-\d\dT\d\d)\.lines$/

/** Where lines of a clink are. */
export interface Piece {
  readonly clinkId: string
  readonly offset: number
  readonly length: number
}

/** With its line end. */
export function indexRow({ clinkId, length, offset }: Piece): string {
  return `${encodeURIComponent(clinkId)} ${offset} ${length}\n`
}

/** The pieces of one clink in rows of an index. */
export function piecesOf(clinkId: string, rows: readonly string[]): readonly Piece[] {
  const start = `${encodeURIComponent(clinkId)} `
  return rows.flatMap((row) => {
    const [, offset = NaN, length = NaN] = row.startsWith(start) ? row.split(' ').map(Number) : []
    return Number.isSafeInteger(offset) && Number.isSafeInteger(length) ? [{ clinkId, offset, length }] : []
  })
}

/** Below the state directory. */
export const logsOf = (stateDirectory: string): string => join(stateDirectory, 'logs')

/** The hour of a wall time. */
export const hourOf = (wall: number): string => new Date(wall).toISOString().slice(0, 13)

/** Wall time at which the hour of a segment ends. */
function endOf({ name }: Pick<Segment, 'name'>): number {
  const [year = 0, month = 1, day = 1, hour = 0] = name.split(/[-T]/).map(Number)
  return Date.UTC(year, month - 1, day, hour + 1)
}

export function pathsOf(directory: string, name: string): Pick<Segment, 'lines' | 'index'> {
  return { lines: join(directory, `${name}.lines`), index: join(directory, `${name}.index`) }
}

/** All there are, the oldest first. None where there is no directory. */
export async function segmentsIn(directory: string): Promise<readonly Segment[]> {
  const files = await readdir(directory).catch(() => [])
  const names = files.flatMap((file) => NAME.exec(file)?.[1] ?? []).sort()
  return await Promise.all(
    names.map(async (name) => {
      const paths = pathsOf(directory, name)
      const sizes = await Promise.all([paths.lines, paths.index].map(sizeOf))
      return { name, ...paths, size: sizes.reduce((sum, size) => sum + size, 0) }
    }),
  )
}

/**
 * Removes what is older than `longest` milliseconds, and the oldest of what is more than `total` bytes. The newest segment stays, which may
 * be written to.
 */
export async function dropOld(directory: string, keep: { longest: number; total: number }, now: number): Promise<void> {
  const segments = await segmentsIn(directory)
  let size = segments.reduce((sum, segment) => sum + segment.size, 0)
  for (const segment of segments.slice(0, -1)) {
    if (endOf(segment) + keep.longest > now && size <= keep.total) return
    await Promise.all([segment.index, segment.lines].map(async (file) => await unlink(file).catch(() => {})))
    size -= segment.size
  }
}

async function sizeOf(file: string): Promise<number> {
  return await stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}
