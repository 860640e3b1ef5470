import { cutText } from '../base/cut-text.ts'
import { wallNow } from '../base/host-time.ts'
import { Recent } from '../base/recent.ts'
import type { Clink } from '../clink/records.ts'
import type { WorkerEvent } from '../events.ts'
import { inWords, lengthOf, said } from './said.ts'

/** What happened to a clink. */
interface Moment {
  /** Wall time in milliseconds. */
  readonly at: number
  /** The name of its event. */
  readonly event: string
  readonly attempt: number | null
  /** For people; null: there is no more to say. */
  readonly text: string | null
  /** How often in a row it happened; the last time is meant. */
  readonly times: number
}

/** What this process has seen of one clink. */
export interface Timeline {
  readonly id: string
  readonly group: string
  readonly sender: string
  readonly route: string | null
  /** When it was sent, as the service says. */
  readonly sent: string
  readonly moments: readonly Moment[]
  /** How many of them are not kept. */
  readonly leftOut: number
  /** The clink's, and of what it was answered: cut. */
  readonly content: string
  readonly response: string | null
}

const CLINKS = 2_000
/** Stories of clinks that went as they should which are kept of one second: more would push all others out within a moment. */
const PLAIN_A_SECOND = 100
/** Moments that are kept of one clink: the first ones, and the last ones. */
const FIRST = 30
const LAST = 70
/** Characters. */
const LONGEST_TEXT = 500
const LONGEST_CONTENT = 4_000

/** What happens to a clink. */
type ClinkEvent = Extract<WorkerEvent, { readonly clink: Clink }>

/** A moment whose words are not made yet. */
type Noted = Omit<Moment, 'text' | 'event'> & {
  readonly event: WorkerEvent['event']
  readonly words: string | undefined
  /** Milliseconds. */
  readonly length: number | undefined
}

interface Told {
  readonly clink: Clink
  readonly told: { readonly at: number; readonly event: ClinkEvent }[]
}

type Growing = { -readonly [Key in Exclude<keyof Timeline, 'moments'>]: Timeline[Key] } & { readonly moments: Noted[] }

/** A clink's. What goes as it should is kept as it was told: most of it is forgotten before anybody looks. */
class Story {
  #kept: Told | Growing

  constructor(clink: Clink) {
    this.#kept = { clink, told: [] }
  }

  /** It was claimed, run and completed, each once, and nothing else, and nobody has looked at it. */
  get isPlain(): boolean {
    return 'told' in this.#kept
  }

  add(at: number, event: ClinkEvent): void {
    if ('told' in this.#kept && isPlain(event)) this.#kept.told.push({ at, event })
    else grow(this.whole(), at, event)
  }

  /** From now on it is kept in words, and what was told is let go of. */
  whole(): Growing {
    if (!('told' in this.#kept)) return this.#kept
    const { clink, told } = this.#kept
    const whole = begun(clink)
    for (const { at, event } of told) grow(whole, at, event)
    this.#kept = whole
    return whole
  }
}

/**
 * The last clinks that were worked, moment by moment, in memory. Where very many are worked, most of those that went as they should are forgotten at
 * once: those that did not stay for longer, and what nobody can look at in time costs next to nothing.
 */
export class Timelines {
  readonly #all = new Recent<Story>(CLINKS)
  readonly #wall: () => number
  #second = 0
  #plain = 0

  constructor(wall = wallNow) {
    this.#wall = wall
  }

  readonly note = (event: WorkerEvent): void => {
    if (!('clink' in event)) return
    // Handlers may say very much: there is a log for that. A clink that is listed again and again, and left alone, has no story.
    if (event.event === 'clink.log' || event.event === 'clink.parked') return
    const { clink_id: id } = event.clink
    const known = this.#all.get(id)
    const story = known ?? new Story(event.clink)
    // The one that something has happened to last is forgotten last.
    if (event.event === 'clink.claimed' || known === undefined) this.#all.set(id, story)
    const at = this.#wall()
    story.add(at, event)
    if (event.event !== 'clink.completed' || !story.isPlain) return
    if (this.#keepsPlain(at)) story.whole()
    else this.#all.delete(id)
  }

  of(id: string): Timeline | undefined {
    const found = this.#all.get(id)?.whole()
    return found && { ...found, moments: found.moments.map(worded) }
  }

  #keepsPlain(at: number): boolean {
    const second = Math.floor(at / 1_000)
    if (second !== this.#second) {
      this.#second = second
      this.#plain = 0
    }
    this.#plain += 1
    return this.#plain <= PLAIN_A_SECOND
  }
}

function isPlain(event: ClinkEvent): boolean {
  // All else is out of the ordinary.
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check
  switch (event.event) {
    case 'clink.claimed':
      return true
    case 'clink.started':
      return event.attempt === 1
    case 'clink.ended':
      return event.outcome === 'done'
    case 'clink.completed':
      return !event.presumed
    default:
      return false
  }
}

function begun(clink: Clink): Growing {
  return {
    id: clink.clink_id,
    group: clink.group_slug ?? clink.group_id,
    sender: clink.sender_id,
    route: null,
    sent: clink.created_at,
    moments: [],
    leftOut: 0,
    content: cutText(clink.content, LONGEST_CONTENT),
    response: null,
  }
}

function worded({ words, length, ...moment }: Noted): Moment {
  return { ...moment, text: inWords(moment.event, words, length) ?? null }
}

function grow(kept: Growing, at: number, event: ClinkEvent): void {
  const { attempt, event: name, route } = event
  if (route !== undefined) kept.route = route
  if (event.event === 'clink.completed' && event.response !== undefined)
    kept.response = cutText(event.response, LONGEST_CONTENT)
  const told = said(event)
  const words = told && cutText(told, LONGEST_TEXT)
  add(kept, { at, event: name, attempt: attempt ?? null, words, length: lengthOf(event), times: 1 })
}

function add(kept: Growing, moment: Noted): void {
  const { moments } = kept
  const last = moments.at(-1)
  if (last?.event === moment.event && moment.event === 'clink.renewed') {
    moments[moments.length - 1] = { ...moment, times: last.times + 1 }
    return
  }
  moments.push(moment)
  if (moments.length <= FIRST + LAST) return
  moments.splice(FIRST, 1)
  kept.leftOut += 1
}
