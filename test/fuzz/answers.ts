import * as fc from 'fast-check'
import { isRecord } from '../../src/base/record.ts'
import { ClinkClient } from '../../src/clink/client.ts'
import type { OperationName } from '../../src/clink/contract.ts'
import { ClinkApiError } from '../../src/clink/errors.ts'
import { isPathPart } from '../../src/clink/path-part.ts'
import type { ParamsOf } from '../../src/clink/signatures.ts'
import { sampleCalls } from '../support/sample-calls.ts'
import { mutated, mutations } from './mutate.ts'
import type { Note, Part } from './part.ts'

const OPERATIONS = Object.keys(sampleCalls) as OperationName[]
/** Those that work is made of are tried more often. */
const operation = fc.oneof(
  fc.constantFrom<OperationName>('check_inbox', 'claim_clink', 'complete_clink', 'release_clink', 'get_clinks'),
  fc.constantFrom(...OPERATIONS),
)
const status = fc.oneof(
  { weight: 4, arbitrary: fc.constant(200) },
  { weight: 1, arbitrary: fc.constantFrom(201, 204, 301, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503) },
)
const header = fc.dictionary(
  fc.constantFrom('retry-after', 'date', 'location', 'content-type'),
  fc.oneof(
    fc.constantFrom('1', '0', '-1', '1e9', '9'.repeat(400), 'soon', 'Thu, 01 Jan 1970 00:00:00 GMT', 'x'.repeat(9_000)),
    fc.string({ unit: 'binary' }),
  ),
)
const LISTS: ReadonlySet<OperationName> = new Set(['check_inbox', 'get_clinks'])
const KEY = 'sk_live_of_a_test'
/** Characters: an error ends in a line of the log. */
const LONGEST_MESSAGE = 20_000

/** The answers of the service, read as the worker reads them: a result of the form that it promises, or one kind of error. */
export const answers: Part = {
  name: 'answers',
  open: async (note) => {
    const property = fc.asyncProperty(
      operation,
      status,
      header,
      fc.boolean(),
      mutations(),
      async (name, code, headers, isError, changes) => {
        const body = mutated(envelope(name, isError), changes)
        const client = new ClinkClient({
          key: KEY,
          attempts: 1,
          transport: { send: async () => await Promise.resolve({ status: code, headers, body }) },
        })
        await readBy(client, name, note)
      },
    )
    return await Promise.resolve({ property, end: () => {} })
  },
}

function envelope(name: OperationName, isError: boolean): unknown {
  return isError
    ? { success: false, error: 'claim_conflict', message: `not with ${KEY}` }
    : { success: true, data: sampleCalls[name].data }
}

async function readBy(client: ClinkClient, name: OperationName, note: Note): Promise<void> {
  const params = sampleCalls[name].params as unknown as ParamsOf<typeof name>
  let result: unknown
  try {
    result = await client.call(name, params)
  } catch (error) {
    if (!(error instanceof ClinkApiError)) throw error
    const { failure, message, retryAfter } = error
    if (message.length > LONGEST_MESSAGE) throw new Error(`an error of ${message.length} characters`, { cause: error })
    if (message.includes(KEY)) throw new Error('the error shows the key', { cause: error })
    if (retryAfter !== undefined && !(retryAfter >= 0)) throw new Error(`a wait of ${retryAfter}`, { cause: error })
    note(failure ?? 'refused')
    return
  }
  // Whoever shows or keeps it writes it.
  JSON.stringify(result)
  structuredClone(result)
  if (LISTS.has(name) && isRecord(result)) checkClinks(result['clinks'])
  note('read')
}

function checkClinks(clinks: unknown): void {
  if (!Array.isArray(clinks)) throw new Error('the clinks are no list')
  for (const one of clinks as unknown[]) {
    for (const name of ['clink_id', 'group_id', 'sender_id', 'sender_name', 'content', 'created_at', 'status']) {
      const value: unknown = Reflect.get(Object(one), name)
      if (typeof value !== 'string') throw new Error(`a clink with ${name} ${typeof value}`)
      if (/^(clink|group)_id$/.test(name) && !isPathPart(value)) throw new Error(`a clink with ${name} ${value}`)
    }
  }
}
