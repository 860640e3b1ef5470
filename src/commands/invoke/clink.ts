import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isRecord } from '../../base/record.ts'
import { parsedOnce } from '../../base/repeated-key.ts'
import { asError, CodedError } from '../../base/coded-error.ts'
import type { Clink } from '../../clink/records.ts'
import * as schemas from '../../clink/schemas.ts'
import type { Io } from '../terminal/io.ts'

/** Its text or its file; `-` is standard input. */
export interface ClinkSource {
  readonly text?: string
  /** Slug of the group that it is of, beside a text. */
  readonly group?: string
  readonly clink?: string
}

/** The clink that a handler is tried on: made from a text, or from a file that may leave out everything but the content. */
export async function clinkOf({ text, group, clink: file }: ClinkSource, io: Io): Promise<Clink> {
  if (text !== undefined) {
    const content = text === '-' ? (await io.input()).replace(/\n$/, '') : text
    return whole({ content, ...(group !== undefined && { group_slug: group }) }, '--text')
  }
  const source = file === '-' ? 'standard input' : String(file)
  const given = await (file === '-' ? io.input() : read(resolve(io.cwd, source), source))
  let value: unknown
  try {
    value = parsedOnce(given)
  } catch (error) {
    throw new CodedError('FILE_INVALID', `${source}: this cannot be read as JSON: ${asError(error).message}`)
  }
  if (isRecord(value)) return whole(value, source)
  throw new CodedError('FILE_INVALID', `${source}: a clink is a JSON object with a content`)
}

function whole(given: object, source: string): Clink {
  const { data, error } = schemas.clink.safeParse({
    clink_id: 'msg_invoke',
    group_id: '00000000-0000-4000-8000-000000000000',
    group_slug: 'invoke',
    sender_id: 'user_invoke',
    sender_name: 'You',
    created_at: new Date().toISOString(),
    status: 'claimed',
    ...given,
  })
  if (data !== undefined) return data
  const problems = error.issues.map(({ path, message }) => `${source}: ${path.join('.')}: ${message}`)
  throw new CodedError('FILE_INVALID', problems.join('\n'))
}

async function read(path: string, shown: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw new CodedError('FILE_INVALID', `${shown}: it cannot be read: ${asError(error).message}`, { cause: error })
  }
}
