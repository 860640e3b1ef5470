import { humanDuration } from '../../base/duration.ts'
import { painter } from '../../observe/colour.ts'
import { printable } from '../../observe/printable.ts'
import { CHECK, failedReload, unusedKey } from '../../control/failed-reload.ts'
import { pausedRoute, pauseText } from '../../control/pause-text.ts'
import { resumeCommand } from '../../control/resume-command.ts'
import type { NoStatus, Status } from '../../control/status.ts'
import { memberName } from '../../ledger/fleet.ts'
import type { Io } from '../terminal/io.ts'
import { table } from '../terminal/table.ts'

/** Lines are no longer than this, as far as texts of others let them. */
const WIDTH = 80
const NAME = 18
const ID = 24
const REASON = 200
/** More are counted. */
const CLINKS = 20

const WAITS: Readonly<Record<Exclude<Status['routes'][number]['waits'][number], 'operator'>, string>> = {
  failing: 'all fails',
  concurrency: 'at its limit',
  rate: 'rate used up',
}

/** The words of `notWorked`; one that is none of these is its own text. */
const IDLES: Readonly<Record<string, string>> = {
  paused: 'paused',
  failing: 'all fails on it',
  concurrency: 'at its limit',
  rate: 'rate used up',
  serial: 'one at a time',
  slots: 'all slots are taken',
  circle: 'end of a circle (inbox.maxHops)',
  muted: 'a circle (inbox.loopLimit)',
  note: 'a note, or the end of a circle',
  cooling: 'given back before (retry.cooldown)',
  'given-up': 'a dead letter here',
  'identity-unknown': 'not known yet who we are',
  'no-route': 'no route takes it',
  'own-reply': 'we sent it',
}

type Paint = ReturnType<typeof painter>

/** For people. */
export function statusText(status: Status | NoStatus, io: Pick<Io, 'color'>): string {
  const paint = painter(io.color)
  if (status.worker === null)
    return [...status.reasons, ...nextLines(status.next)].map((line) => `${printable(line)}\n`).join('')
  const { routes, worker } = status
  // The state says it already.
  const isSaid = status.state === 'not-ready'
  const state = paint(status.ready ? 'green' : 'yellow', isSaid ? 'not ready' : status.state)
  const ready = isSaid ? undefined : status.ready ? 'ready' : 'not ready'
  const head = [`clink-worker ${worker.version}`, state, ready, status.alive ? undefined : 'not alive']
  const up = `up ${humanDuration(worker.uptime)}`
  return [
    `${[...head, up].filter((part) => part !== undefined).join(' · ')}\n`,
    ...nextLines(status.next).map((line) => `${paint('yellow', printable(line))}\n`),
    ...[...otherReasons(status), ...failures(status)].map((line) => `${printable(line)}\n`),
    '\n',
    table(facts(status)),
    routes.length === 0 ? '' : `\n${table([dim(paint, ROUTES), ...routes.map((route) => routeRow(route, status))])}`,
    idle(status, paint),
    clinks(status, paint),
  ].join('')
}

const ROUTES = ['ROUTE', 'RUN', 'WAIT', 'HELD', 'SETTLE', 'LIMIT', '']
const IDLE = ['NOT WORKED', 'CLINKS', 'WHY', '']
const INHAND = ['CLINK', 'STATE', 'FOR', 'LEASE', 'ROUTE', 'TRY']

function dim(paint: Paint, names: readonly string[]): string[] {
  return names.map((name) => paint('dim', name))
}

function nextLines(next: Status['next']): string[] {
  if (next === null) return []
  return [next.why, ...(next.command === null ? [] : [`  → ${next.command}`])]
}

/** The first is what `next` says. */
function otherReasons({ key, next, pauses, reasons, reload }: Status): string[] {
  const reloaded = reload === null ? [] : [{ why: failedReload(reload), command: CHECK }]
  const failed = [...reloaded, unusedKey(key) ?? []].flat().filter(({ why }) => why !== next?.why)
  const others = [...reasons, ...failed.flatMap(nextLines)].filter((reason) => reason !== next?.why)
  const said = next?.why ?? ''
  const paused = pauses
    .filter(({ hasRoute, route }) => route !== null && !(hasRoute && said.startsWith('all its routes')))
    .filter((pause) => !said.startsWith(`${pausedRoute(pause)} (`))
    .flatMap((pause) => {
      const command = pause.hasRoute || pause.isFleet ? null : resumeCommand(pause.route, false)
      return nextLines({ why: pauseText(pause), command })
    })
  return [...others, ...paused]
}

/** What has failed last on each route on which everything fails. */
function failures({ routes }: Status): string[] {
  return routes.flatMap(({ lastFailure, name }) =>
    lastFailure === null ? [] : `${name}: ${lastFailure.id} has failed last: ${cut(lastFailure.reason, REASON)}`,
  )
}

function facts(status: Status): [string, string][] {
  const { claims, counts, fleet, identity, key, siblings, slots, totals, worker } = status
  const { held, parked, queued, rerunning, running, settling, stuck } = counts
  const more = [
    rerunning > 0 ? `${rerunning} run again` : [],
    stuck > 0 ? `${stuck} stuck` : [],
    counts.maybeClaimed > 0 ? `${counts.maybeClaimed} may be claimed` : [],
  ].flat()
  const work = [`${running} running`, `${queued} waiting`, `${held} held`, `${settling} settling`, `${parked} parked`]
  const ended = [`${totals.completed} completed`, `${totals.released} released`, `${totals.lost} lost`]
  const { deadLetters, lateResults } = counts
  const kept = lateResults === 0 ? [] : [`${lateResults} late results`]
  return [
    ['slots', `${slots.taken} of ${slots.total}`],
    ['in hand', [...work, ...more].join(', ')],
    ['so far', ended.join(', ')],
    ['given up', [`${deadLetters} wait for a person`, `${totals.deadLettered} so far`, ...kept].join(', ')],
    ['held', whys(status.held)],
    ['parked', whys(status.parked)],
    ['failing', counts.failing === 0 ? '' : `${counts.failing} wait since everything on their route fails`],
    ['inbox', inboxText(status.inbox)],
    ['left alone', whys(status.leftAlone)],
    ['claims', `${claims === 'none' ? 'none' : `by ${claims === 'batch' ? 'poll' : 'id'}`}, siblings ${siblings}`],
    [
      'key',
      `${key.fingerprint}${key.isProven ? '' : ' (not proven)'}${identity === null ? '' : `, we are ${identity}`}`,
    ],
    ['session', worker.session],
    ['fleet', fleet === null ? '' : `${fleet.name}, we are ${memberName(fleet.machine, fleet.member)}`],
    ['process', `${worker.pid}, ${worker.url}`],
    ['http', serverText(status.server)],
  ].flatMap(([name = '', text = '']): [string, string][] =>
    text === '' ? [] : [[name, cut(printable(text), WIDTH - 12)]],
  )
}

function inboxText(inbox: Status['inbox']): string {
  if (inbox === null) return ''
  const { isSaturated, isStarved, leftAlone, pending } = inbox
  const more = [isSaturated ? ', perhaps more' : '', isStarved ? ', others are out of reach' : '']
  return `${pending} wait, ${leftAlone} left alone${more.join('')}`
}

function serverText(server: Status['server']): string {
  if (server === null) return 'switched off'
  return server.url ?? `not listening: ${server.problem ?? 'not yet'}`
}

/** What waits, by route and sender, and why it is not worked. */
function idle(status: Status, paint: Paint): string {
  const { notWorked } = status
  if (notWorked.length === 0) return ''
  const rows = notWorked.slice(0, CLINKS).map(({ count, isParked, left, route, sender, why }) => {
    const until =
      left === null ? '' : `${isParked ? 'claimed for ' : ''}${humanDuration(left)}${isParked ? '' : ' left'}`
    const of = [route === null ? [] : cut(printable(route), NAME), sender === null ? [] : cut(printable(sender), ID)]
    const words = (why === 'paused' && pausedBy(route, status).join(', ')) || (IDLES[why] ?? why)
    return [of.flat().join(', ') || 'everything', String(count), words, until]
  })
  const more = notWorked.length - rows.length
  return `\n${table([dim(paint, IDLE), ...rows])}${more === 0 ? '' : `and ${more} more: clink-worker status --json\n`}`
}

function whys(list: Status['held']): string {
  return list.map(({ count, why }) => `${count} ${why}`).join(', ')
}

function routeRow(route: Status['routes'][number], status: Status): string[] {
  const { held, isGone, limits, name, running, settling, waiting, waits } = route
  const { concurrency, rate, serial, serialScope, weight } = limits
  const of = (scope: string | null): string => (scope === 'fleet' ? ' in the fleet' : '')
  const limit = [
    concurrency === null ? [] : String(concurrency),
    rate === null
      ? []
      : `${rate.count}/${humanDuration(rate.window)}${rate.left === null ? '' : ` (${rate.left})`}${of(rate.scope)}`,
    serial === null ? [] : `by ${serial}${of(serialScope)}`,
    weight === 1 ? [] : `weight ${weight}`,
  ].flat()
  const numbers = [running, waiting, held, settling].map(String)
  return [
    cut(printable(name), NAME),
    ...numbers,
    limit.join(' '),
    isGone
      ? 'not there any more'
      : waits.flatMap((why) => (why === 'operator' ? pausedBy(name, status) : WAITS[why])).join(', '),
  ]
}

/** By somebody for this worker, for its fleet, or both. @param name null: it is not known of which route. */
function pausedBy(name: string | null, { draining, pauses }: Pick<Status, 'draining' | 'pauses'>): string[] {
  const of = pauses.filter(({ route }) => name === null || route === null || route === name)
  return [
    draining === null ? [] : 'drained',
    of.some(({ isFleet }) => !isFleet) ? 'paused' : [],
    of.some(({ isFleet }) => isFleet) ? 'paused in the fleet' : [],
  ].flat()
}

function clinks({ deliveries, deliveriesLeftOut }: Status, paint: Paint): string {
  if (deliveries.length === 0) return ''
  const rows = deliveries
    .slice(0, CLINKS)
    .map(({ attempt, due, for: ms, id, isStuck, lease, route, state }) => [
      cut(printable(id), ID),
      isStuck ? 'stuck' : state,
      due === null ? humanDuration(ms) : `${humanDuration(due)} left`,
      humanDuration(lease),
      cut(printable(route), NAME),
      String(attempt),
    ])
  const left = deliveriesLeftOut + Math.max(0, deliveries.length - CLINKS)
  const more = left === 0 ? '' : `and ${left} more: clink-worker status --json\n`
  return `\n${table([dim(paint, INHAND), ...rows])}${more}`
}

function cut(text: string, most: number): string {
  const letters = Array.from(text)
  return letters.length > most ? `${letters.slice(0, most - 1).join('')}…` : text
}
