import { h, section, table, words } from './dom.js'
import { count, some, span, time } from './format.js'

export function fleet({ fleet: found, overview }) {
  const title = h('h1', {}, 'Fleet')
  if (overview.fleet === null)
    return [title, h('p', { class: 'empty' }, 'This worker remembers alone: it has no state.url.')]
  if (found === undefined || found === null)
    return [
      title,
      h('p', { class: 'empty' }, 'Asking… Where this stays, the shared store does not answer: see Health.'),
    ]
  const { members, pauses, store } = found
  const there = members.filter(({ isSilent }) => !isSilent)
  const inHand = there.reduce((sum, { signs }) => sum + (signs?.inHand ?? 0), 0)
  return [
    title,
    h(
      'p',
      { class: 'lead' },
      `${some(there.length, 'worker remembers', 'workers remember')} together as `,
      h('strong', {}, words(found.fleet)),
      `, with ${some(inHand, 'clink')} in hand.`,
    ),
    h('p', { class: 'dim' }, 'In ', words(store), '. Each shows itself every 5 s, and is silent after 20 s.'),
    pauses.map((pause) => h('p', { class: 'warn' }, pausedText(pause))),
    section(
      'Workers',
      null,
      table({
        caption: 'Workers of the fleet',
        empty: 'No worker was there within the last day.',
        columns: [
          { name: 'Machine' },
          { name: 'Process', number: true },
          { name: 'Version' },
          { name: 'State' },
          { name: 'In hand', number: true },
          { name: 'Slots' },
          { name: 'Seen' },
          { name: 'Routes', wide: true },
        ],
        rows: members.map((member) => ({ key: member.member, cells: cellsOf(member, overview.status.fleet?.member) })),
      }),
    ),
  ]
}

function cellsOf({ isSilent, member, name, seen, signs, version }, own) {
  const silent = (cell) => (isSilent ? h('span', { class: 'dim' }, cell) : cell)
  return [
    [silent(words(name)), member === own && h('small', {}, 'this worker')],
    signs === null ? '–' : String(signs.pid),
    silent(words(version)),
    stateOf(isSilent, signs),
    signs === null ? '–' : count(signs.inHand),
    signs === null ? '–' : `${count(signs.taken)} of ${count(signs.slots)}`,
    silent(time(seen)),
    silent(signs === null ? '–' : signs.routes.map(({ name: route, waits }) => routeText(route, waits)).join(', ')),
  ]
}

function stateOf(isSilent, signs) {
  if (isSilent) return h('span', { class: 'tag' }, 'silent')
  if (signs === null) return h('span', { class: 'tag' }, 'not known')
  if (signs.isReady) return h('span', { class: 'tag good' }, 'ready')
  return [h('span', { class: 'tag bad' }, 'not ready'), h('small', {}, words(signs.reasons[0] ?? ''))]
}

const routeText = (route, waits) => (waits.length === 0 ? route : `${route} (${waits.join(', ')})`)

function pausedText({ by, hasRoute, left, note, route }) {
  const what =
    route === null ? 'Everything is paused' : `The route ${route}${hasRoute ? '' : ', which no worker has,'} is paused`
  const until = left === null ? '' : `, ${span(left)} left`
  return words(`${what} in the fleet (by ${by}${until}${note === null ? '' : `: ${note}`})`)
}
