import { open, readFile } from 'node:fs/promises'
import { isRecord } from '../base/record.ts'
import { tryTo } from '../base/try-to.ts'
import { piecesOf, segmentsIn, type ClinkLine, type Segment } from './segments.ts'

/** What was said for one clink. Reads only what is its own, and may be asked again for what has come since. */
export class ClinkLogReader {
  readonly #directory: string
  readonly #clinkId: string
  /** The newest segment that was read, and how many rows of its index: to those before it nothing is added. */
  #newest = ''
  #rows = 0

  constructor(directory: string, clinkId: string) {
    this.#directory = directory
    this.#clinkId = clinkId
  }

  /** Lines that were not read before, in order. */
  async next(): Promise<readonly ClinkLine[]> {
    const lines: ClinkLine[] = []
    for (const segment of await segmentsIn(this.#directory))
      if (segment.name >= this.#newest) lines.push(...(await this.#from(segment)))
    return lines
  }

  async #from(segment: Segment): Promise<readonly ClinkLine[]> {
    // It may just have been removed.
    const index = await readFile(segment.index, 'utf8').catch(() => '')
    // The last row may be half written.
    const rows = index.split('\n').slice(0, -1)
    const pieces = piecesOf(this.#clinkId, segment.name === this.#newest ? rows.slice(this.#rows) : rows)
    this.#newest = segment.name
    this.#rows = rows.length
    if (pieces.length === 0) return []
    const file = await open(segment.lines).catch(() => undefined)
    if (file === undefined) return []
    try {
      const found: ClinkLine[] = []
      for (const { length, offset } of pieces) {
        const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, offset)
        const text = buffer.toString('utf8', 0, bytesRead)
        found.push(...text.split('\n').flatMap((line) => parsed(line, this.#clinkId)))
      }
      return found
    } finally {
      await file.close()
    }
  }
}

function parsed(text: string, clinkId: string): readonly ClinkLine[] {
  const value: unknown = text === '' ? undefined : tryTo(() => JSON.parse(text))
  if (!isRecord(value) || value['clink'] !== clinkId || typeof value['message'] !== 'string') return []
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by us, and shown only
  return [value as unknown as ClinkLine]
}
