import type { TransportFailure, TransportResponse } from '../../src/clink/transport.ts'
import type { Chance } from './chance.ts'
import type { FaultPlan } from './plan.ts'
import { pageFault } from './distortion.ts'
import type { OperationKind } from './record.ts'
import type { World } from './world.ts'

/** What becomes of one request. Times are milliseconds. */
export interface Fault {
  /** For the trace; empty: nothing goes wrong. */
  readonly name: string
  /** Until it is handed to a socket, until it arrives, and until the answer is back. */
  readonly connect: number
  readonly there: number
  readonly back: number
  /** No byte leaves, for this reason. */
  readonly unsent?: TransportFailure
  /** Whether the service carries it out. */
  readonly arrives: boolean
  /** How the answer gets lost. */
  readonly lost?: TransportFailure | 'hang'
  /** Put in the place of the real answer. */
  readonly answer?: (real: TransportResponse | undefined, wall: number) => TransportResponse | undefined
}

const KINDS = {
  refused: 2,
  dns: 1,
  'reset-before': 2,
  'reset-after': 4,
  'hang-before': 2,
  'hang-after': 3,
  'late-effect': 2,
  slow: 4,
  'cut-after': 2,
  'status-before': 4,
  'status-after': 3,
  'not-success': 2,
  garbage: 2,
  malformed: 3,
} as const

export type FaultKind = keyof typeof KINDS

/** Decides, for every request anew, what becomes of it. */
export class Faults {
  readonly #plan: FaultPlan
  readonly #chance: Chance
  readonly #now: () => number
  readonly #world: World
  readonly #pages: Chance

  constructor(plan: FaultPlan, world: World, chance: Chance, now: () => number) {
    this.#plan = plan
    this.#world = world
    this.#chance = chance
    this.#pages = chance.fork('pages')
    this.#now = now
  }

  /** @param isSour the service fails whenever it is to claim this clink. */
  next(kind: OperationKind, isSour: boolean): Fault {
    const now = this.#now()
    const chance = this.#chance
    const usual = {
      name: '',
      connect: chance.is(0.7) ? 0 : chance.between(0, this.#plan.latency),
      there: chance.between(1, this.#plan.latency),
      back: chance.between(1, this.#plan.latency),
      arrives: true,
    }
    if (isSour && kind === 'claim') return { ...usual, name: '[sour]', arrives: false, answer: () => SOUR }
    if (now >= this.#plan.until) return usual
    const page = pageFault(this.#world.pages, kind, now, this.#pages, usual)
    if (page !== undefined) return page
    const outage = this.#plan.outages.find(({ from, to }) => now >= from && now < to)
    if (outage !== undefined) return make(outage.kind, usual, chance, this.#plan.scale)
    if (!chance.is(this.#plan.rate)) return usual
    const what = chance.weighted(KINDS)
    return make(what === 'malformed' && kind !== 'poll' ? 'slow' : what, usual, chance, this.#plan.scale)
  }
}

const SOUR = { status: 500, headers: {}, body: '{"success":false,"error":"internal"}' }

function make(kind: FaultKind, usual: Fault, chance: Chance, scale: number): Fault {
  const long = chance.logarithmic(50, scale)
  const named = { ...usual, name: `[${kind}]` }
  switch (kind) {
    case 'refused':
    case 'dns':
      return { ...named, unsent: kind, connect: chance.between(1, 200), arrives: false }
    case 'reset-before':
      return { ...named, arrives: false, lost: 'reset', back: long }
    case 'reset-after':
      return { ...named, lost: 'reset' }
    case 'hang-before':
      return { ...named, arrives: false, lost: 'hang' }
    case 'hang-after':
      return { ...named, lost: 'hang' }
    case 'late-effect':
      return { ...named, there: long, lost: chance.is(0.5) ? 'hang' : 'reset' }
    case 'slow':
      return {
        ...named,
        connect: chance.is(0.3) ? long : usual.connect,
        there: chance.is(0.5) ? long : usual.there,
        back: chance.is(0.5) ? long : usual.back,
      }
    case 'cut-after':
      return { ...named, lost: 'cut' }
    case 'status-before':
    case 'status-after':
      return { ...named, arrives: kind === 'status-after', answer: statusAnswer(chance, kind) }
    case 'not-success':
      return { ...named, answer: () => ({ status: 200, headers: {}, body: '{"success":false,"error":"oops"}' }) }
    case 'garbage':
      return { ...named, answer: () => ({ status: 200, headers: {}, body: '<html>proxy' }) }
    case 'malformed':
      return { ...named, answer: (real) => damaged(real, chance.next()) }
  }
}

/** An error that says when to come back in seconds, as a date, or not at all. One that refuses has no effect. */
function statusAnswer(chance: Chance, kind: 'status-before' | 'status-after'): NonNullable<Fault['answer']> {
  const status = chance.pick([408, kind === 'status-before' ? 429 : 504, 500, 502, 503, 503])
  const wait = chance.integer(0, 8)
  const form = chance.weighted({ absent: 2, seconds: 1, date: 1, nonsense: 0.3 })
  return (_real, wall) => {
    const after = {
      absent: {},
      seconds: { 'retry-after': String(wait) },
      date: { 'retry-after': new Date(wall + wait * 1_000).toUTCString() },
      nonsense: { 'retry-after': 'soon' },
    }[form]
    return { status, headers: after, body: wait % 2 === 0 ? '<h1>Sorry</h1>' : '{"success":false}' }
  }
}

/** Spoils one record of a page. */
function damaged(real: TransportResponse | undefined, at: number): TransportResponse | undefined {
  if (real?.status !== 200) return real
  const page = JSON.parse(real.body) as { data: { clinks: { [name: string]: unknown }[] } }
  const { clinks } = page.data
  const victim = clinks[Math.floor(at * clinks.length)]
  if (victim === undefined) return real
  const name = ['clink_id', 'sender_id', 'content', 'created_at'][Math.floor(at * 97) % 4] ?? 'clink_id'
  if (at < 0.5) delete victim[name]
  // A number would be read as its text, and so name another clink, or another sender, of whom nobody can tell that it is us.
  else victim[name] = name.endsWith('_id') ? {} : 7
  return { ...real, body: JSON.stringify(page) }
}
