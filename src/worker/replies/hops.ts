import { tryTo } from '../../base/try-to.ts'
import type { Clink } from '../../clink/records.ts'
import type { Router, Routing } from '../../handlers/route.ts'
import type { Identity } from '../../keys/identity.ts'
import type { ReplyContext } from './context.ts'

/** What a worker of this make says in the last line of what it sends. */
export type Ending =
  /** So many answers of workers, one to the other, have led to this one. */
  | number
  /** Progress about another clink: nobody is to answer it. */
  | 'note'
  /** A circle of workers has come to its end: nobody is to answer it. */
  | 'end'

/** A clink's text as routes, handlers and programs see it, and what was said in its ending. */
export interface ReadText {
  readonly text: string
  /** Undefined: no worker of this make has sent it, or it has left the line out. */
  readonly ending: Ending | undefined
}

/** What stands before it is the mark, and each worker has its own. */
const FIXED_END = /(?:^|\s)· (?:hop (?<hops>\d{1,9}|end)|note)$/u
/** JSON holds its hops where every reader of JSON passes over them: as tabs behind its first bracket. */
const JSON_HOPS = /^(?<bracket>\s*[[{])(?<hops>\t+)/

/** The last line of what is sent: the mark, and what is to be told. */
export function endingLine(mark: string, ending: Ending): string {
  return `${mark} · ${ending === 'note' ? 'note' : `hop ${ending}`}`
}

/**
 * Reads what `endingLine` and `withJsonHops` wrote, whichever worker they wrote it for.
 *
 * @param mark our own: earlier versions ended with nothing but it.
 */
export function readText(content: string, mark: string): ReadText {
  const trimmed = content.trimEnd()
  const start = trimmed.lastIndexOf('\n') + 1
  const ending = readLine(trimmed.slice(start).trim(), mark.trim())
  if (ending !== undefined) return { text: trimmed.slice(0, start).replace(/\r?\n$/, ''), ending }
  const json = JSON_HOPS.exec(content)?.groups
  if (json?.['hops'] === undefined) return { text: content, ending: undefined }
  return { text: content.replace(JSON_HOPS, '$<bracket>'), ending: json['hops'].length }
}

function readLine(line: string, mark: string): Ending | undefined {
  const found = FIXED_END.exec(line)
  if (found === null) return mark !== '' && line === mark ? 1 : undefined
  const hops = found.groups?.['hops']
  if (hops === undefined) return 'note'
  return hops === 'end' ? 'end' : Number(hops)
}

/** Finds the route of a clink: routes see its text without what workers tell each other. */
export function routeOf(
  clink: Clink,
  {
    identity,
    router,
    settings,
  }: Pick<ReplyContext, 'settings'> & {
    readonly identity: Pick<Identity, 'id'>
    readonly router: Pick<Router, 'find'>
  },
): Routing {
  const { text } = readText(clink.content, settings.current.replies.mark)
  return router.find({ ...clink, content: text }, identity.id)
}

export function hopsOf(ending: Ending | undefined): number {
  return typeof ending === 'number' ? ending : 0
}

/** Why a clink that ends so is not our work; `identity-unknown`: that cannot be told yet. Undefined: it may be. */
export function whyNoWork(
  ending: Ending | undefined,
  senderId: string,
  identity: Pick<Identity, 'id' | 'isUs'>,
): 'own-reply' | 'note' | 'identity-unknown' | undefined {
  if (ending === undefined) return undefined
  if (identity.isUs(senderId)) return 'own-reply'
  if (typeof ending !== 'number') return 'note'
  return identity.id === undefined ? 'identity-unknown' : undefined
}

/** Whether a text is a JSON object or array. */
export function isJson(text: string): boolean {
  return /^\s*[[{]/.test(text) && tryTo<unknown>(() => JSON.parse(text)) !== undefined
}

/** The same JSON to everybody who reads JSON. */
export function withJsonHops(json: string, hops: number): string {
  return json.replace(/^(\s*[[{])\t*/, `$1${'\t'.repeat(hops)}`)
}
