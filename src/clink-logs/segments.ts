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
function endOf({ name }: Segment): number {
  const [year = 0, month = 1, day = 1, hour = 0] = name.split(/[-T]/).map(Number)
  return Date.UTC(year, month - 1, day, hour + 1)
}

export function segmentOf(directory: string, name: string): Segment {
  return { name, lines: join(directory, `${name}.lines`), index: join(directory, `${name}.index`) }
}

/** All there are, the oldest first. None where there is no directory. */
export async function segmentsIn(directory: string): Promise<readonly Segment[]> {
  const files = await readdir(directory).catch(() => [])
  const names = files.flatMap((file) => NAME.exec(file)?.[1] ?? []).sort()
  return names.map((name) => segmentOf(directory, name))
}

/**
 * Removes what is older than `longest` milliseconds, and the oldest of what is more than `total` bytes. The newest segment stays, which may
 * be written to.
 */
export async function dropOld(directory: string, keep: { longest: number; total: number }, now: number): Promise<void> {
  const found = await segmentsIn(directory)
  const segments = await Promise.all(found.map(async (segment) => ({ segment, size: await sizeOf(segment) })))
  let all = segments.reduce((sum, { size }) => sum + size, 0)
  for (const { segment, size } of segments.slice(0, -1)) {
    if (endOf(segment) + keep.longest > now && all <= keep.total) return
    await Promise.all([segment.index, segment.lines].map(async (file) => await unlink(file).catch(() => {})))
    all -= size
  }
}

/** Bytes. */
async function sizeOf({ index, lines }: Segment): Promise<number> {
  const sizes = [index, lines].map(async (file) => (await stat(file).catch(() => undefined))?.size ?? 0)
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
