import type { z } from 'zod'
import { CodedError } from '../base/coded-error.ts'
import { isRecord } from '../base/record.ts'
import { tryTo } from '../base/try-to.ts'
import { quotes } from '../observe/quoting.ts'
import type { Asked } from './asked.ts'
import { answerTo, isName, requests } from './requests.ts'

type Given = URLSearchParams | Readonly<Record<string, unknown>>

interface ByHttp {
  readonly changes: boolean
  readonly ask: (given: Given) => Promise<unknown>
}

/** The texts of clinks and of what they were answered, in all answers of the table. */
const CONTENT: ReadonlySet<string> = new Set(['content', 'response', 'notice', 'begins'])
const UNSAID = 'not shown, it quotes the clink: ask for the content as well'

/**
 * The table of requests, by their paths: `failed.letters` is `failed/letters`. What clinks say is left out of answers, unless the request
 * asks for it (`content=true`) or `log.content` does. Only what looks has such a parameter, and only what changes something says who wants it.
 */
export function requestsByHttp(asked: Asked, isContentShown: () => boolean): ReadonlyMap<string, ByHttp> {
  const contentOf = (id: string): string | undefined => asked.worker?.past?.timeline(id)?.content
  return new Map(
    Object.keys(requests)
      .filter(isName)
      .map((name) => {
        const { changes, params } = requests[name]
        const ask = async (given: Given): Promise<unknown> => {
          const read = given instanceof URLSearchParams ? fromQuery(given, params) : given
          const { content, rest } = changes ? { content: false, rest: { by: 'HTTP', ...read } } : contentOfLook(read)
          const whole = await answerTo(name, rest, asked)
          return isContentShown() || content ? whole : new Discretion(contentOf).apply(whole)
        }
        return [name.replaceAll('.', '/'), { changes, ask }] as const
      }),
  )
}

/** @throws {CodedError} USAGE where nobody knows whether the content is wanted. */
function contentOfLook({ content = false, ...rest }: Readonly<Record<string, unknown>>) {
  const text = String(content)
  if (text === 'true' || text === 'false') return { content: text === 'true', rest }
  throw new CodedError('USAGE', 'content is true or false')
}

/**
 * A query has texts only: what is to be something else is read as JSON.
 *
 * @throws {CodedError} USAGE where one of two values would be taken for both.
 */
function fromQuery(query: URLSearchParams, params: z.ZodType): Record<string, unknown> {
  for (const key of query.keys())
    if (query.getAll(key).length > 1) throw new CodedError('USAGE', `${JSON.stringify(key)} is given twice`)
  const given: Record<string, unknown> = Object.fromEntries(query)
  const { error } = params.safeParse(given)
  for (const { path } of error?.issues ?? []) {
    const key = String(path[0])
    const text = given[key]
    if (typeof text === 'string') given[key] = tryTo((): unknown => JSON.parse(text)) ?? text
  }
  return given
}

/** Leaves out what clinks say. */
class Discretion {
  readonly #contentOf: (id: string) => string | undefined
  /** Why clinks in hand are held, as far as that is shown. */
  readonly #shown = new Set(['asleep'])

  constructor(contentOf: (id: string) => string | undefined) {
    this.#contentOf = contentOf
  }

  apply(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((one) => this.apply(one))
    if (!isRecord(value)) return value
    const { clink, id } = value
    const known = isRecord(clink) ? clink['content'] : typeof id === 'string' ? this.#contentOf(id) : undefined
    const content = typeof known === 'string' ? known : undefined
    const entries = Object.entries(value).filter(([key]) => !CONTENT.has(key))
    return Object.fromEntries(entries.map(([key, one]) => [key, this.#field(key, one, content)]))
  }

  #field(key: string, value: unknown, content: string | undefined): unknown {
    // Whether it quotes a clink that is forgotten, nobody can tell.
    if (key === 'lastFailure' && isRecord(value) && this.#contentOf(String(value['id'])) === undefined)
      return { ...value, reason: UNSAID }
    if (key === 'held' && Array.isArray(value)) return value.map((one) => this.#held(one))
    if (content !== undefined && key === 'errors' && Array.isArray(value))
      return value.map((one) => shown(String(one), content))
    if (content === undefined || typeof value !== 'string' || (key !== 'reason' && key !== 'why'))
      return this.apply(value)
    const text = shown(value, content)
    if (key === 'why') this.#shown.add(text)
    return text
  }

  /** Of clinks together, so that nothing says whose words these are. */
  #held(value: unknown): unknown {
    if (!isRecord(value) || this.#shown.has(String(value['why']))) return value
    return { ...value, why: 'words of a handler' }
  }
}

function shown(text: string, content: string): string {
  return quotes(text, content) ? UNSAID : text
}
