import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ERROR_FIELDS } from '../base/error-fact.ts'
import { isRecord } from '../base/record.ts'
import { Recent } from '../base/recent.ts'
import type { WorkerEvent } from '../events.ts'
import { loggable } from './fields.ts'
import { quotes } from './quoting.ts'

/**
 * How many clinks have their contents remembered: an error that nobody caught does not tell which clink it came from.
 */
const REMEMBERED = 100
/** How the stack names code of a handler. */
const FRAME = /(file:\/\/[^\s?]+)\?clink-worker=[^\s:]+:(\d+)/
const UNSAID = 'not shown, it quotes the clink; "clink-worker failed show" has it, and log.content shows it'

type Fields = Record<string, unknown>

/**
 * The events that carry words of handlers, or words of Clink about what handlers answered. The words of all other
 * events are this program's own, and share some with a clink by chance only.
 */
const MAY_QUOTE: ReadonlySet<WorkerEvent['event']> = new Set([
  'clink.ended',
  'clink.held',
  'clink.released',
  'clink.deadLettered',
  'clink.settlementFailed',
  'clink.resultUnsent',
  'route.paused',
  'worker.failed',
])

/** The field beside the error with the words of somebody else; `reason` is the worker's own where there is `said`. */
const FOREIGN: Partial<Record<WorkerEvent['event'], string>> = {
  'clink.ended': 'said',
  'clink.held': 'why',
  'route.paused': 'said',
}

/**
 * Takes out of finished lines what shows the content of clinks: errors and texts that quote it become their kind and place. The text
 * itself stays with the attempts and the dead letter. What a handler logs by its own hand is its own affair.
 */
export class Discretion {
  readonly #cwd: string
  readonly #contents = new Recent<string>(REMEMBERED)
  /** The worker's words for the last end of a run, which later events may have for their reason. */
  readonly #own = new Recent<string>(REMEMBERED)
  /** The kind and place of the last error of a clink that was hidden: its text comes again as the reason of later events. */
  readonly #kinds = new Recent<string>(REMEMBERED)

  constructor(cwd: string) {
    this.#cwd = cwd
  }

  /** Takes in every event, also one that is not logged. */
  note(event: WorkerEvent): void {
    if (event.event === 'clink.started') this.#contents.set(event.clink.clink_id, event.clink.content)
    if (event.event !== 'clink.ended') return
    const { clink_id: id } = event.clink
    if (event.reason === undefined) this.#own.delete(id)
    else this.#own.set(id, event.reason)
    this.#kinds.delete(id)
  }

  /** @param fields as they would be logged. */
  apply(event: WorkerEvent, fields: unknown): unknown {
    if (!MAY_QUOTE.has(event.event) || !isRecord(fields)) return fields
    const clink = 'clink' in event ? event.clink : undefined
    const contents = clink === undefined ? [...this.#contents.entries()].map(([, text]) => text) : [clink.content]
    const isShown = (text: string): boolean => contents.every((content) => !quotes(text, content))
    const result: Fields = { ...fields }
    const { error } = fields
    const own = event.event === 'clink.ended' || event.event === 'route.paused' ? event.reason : undefined
    // Without an answer there is nothing that anybody said.
    const isOurs = isRecord(error) && error['status'] === 0
    if (isRecord(error) && !isOurs && !wordsOf(error).every((text) => text === own || isShown(text))) {
      const place = 'error' in event ? this.#placeOf(loggable(event.error, { stacks: true })) : ''
      const name = typeof error['name'] === 'string' && isShown(error['name']) ? error['name'] : 'Error'
      const known = ERROR_FIELDS.filter((key) => key in error && isShown(String(error[key]))).map((key) => [
        key,
        error[key],
      ])
      const message = error['message'] === own ? own : UNSAID
      result['error'] = { name, message, ...Object.fromEntries(known), ...(place !== '' && { at: place }) }
      const kind = [name, ...known.map(([, value]) => String(value)), ...(place === '' ? [] : [`at ${place}`])].join(
        ' ',
      )
      if (clink !== undefined && (place !== '' || own === undefined)) this.#kinds.set(clink.clink_id, kind)
    }
    const key = FOREIGN[event.event] ?? (clink === undefined ? '' : 'reason')
    const text = fields[key]
    if (typeof text === 'string' && !isOurs && !isShown(text)) this.#hide(result, key, clink?.clink_id ?? '')
    return result
  }

  /** What is the worker's own stays. */
  #hide(fields: Fields, key: string, id: string): void {
    if (key === 'said') fields[key] = UNSAID
    else if (fields[key] !== this.#own.get(id)) {
      fields[key] = [this.#kinds.get(id) ?? this.#own.get(id) ?? '', UNSAID].filter((part) => part !== '').join('; ')
    }
  }

  /** `handlers/answer.ts:12`, where the stack leads to a handler. */
  #placeOf(error: unknown): string {
    const { message, stack } = isRecord(error) ? error : {}
    if (typeof stack !== 'string' || typeof message !== 'string') return ''
    // The message stands before the frames, and may look like one.
    const [, url, line] = FRAME.exec(stack.slice(Math.max(stack.indexOf(message), 0) + message.length)) ?? []
    const file = url === undefined ? undefined : URL.parse(url)
    return file?.protocol === 'file:' && file.host === '' ? `${relative(this.#cwd, fileURLToPath(file))}:${line}` : ''
  }
}

/** All that an error says of its own, with what caused it; not its stacks, which begin with it. */
function wordsOf(error: Fields): readonly string[] {
  return Object.entries(error).flatMap(([key, value]) => {
    if (key === 'stack') return []
    if (Array.isArray(value)) return value.flatMap((one) => (isRecord(one) ? wordsOf(one) : [String(one)]))
    return isRecord(value) ? wordsOf(value) : [String(value)]
  })
}
