import { button, h, section, table, words } from './dom.js'
import { count, percent, span } from './format.js'

export function routes({ overview }) {
  const { pauses, routes: all, slots } = overview.status
  const figures = new Map(overview.routes.map((one) => [one.route, one]))
  return [
    h('h1', {}, 'Routes'),
    h(
      'p',
      { class: 'lead' },
      `Which handler takes which clinks: the first route that matches. ${count(slots.taken)} of ${count(slots.total)} slots are taken.`,
    ),
    pauses.filter(({ hasRoute, isFleet }) => !hasRoute && !isFleet).map(kept),
    section(
      'In the order in which they are tried',
      'times and failures are of the last hour, and of its last 500 runs at most',
      table({
        caption: 'Routes',
        empty: 'There is no route: the worker takes nothing. Put a handler into handlers.directory, or write routes.',
        columns: [
          { name: 'Route', wide: true },
          { name: 'Running', number: true },
          { name: 'Used' },
          { name: 'Waiting', number: true },
          { name: 'Held', number: true },
          { name: 'Half within', number: true },
          { name: '95 % within', number: true },
          { name: 'Failing', number: true },
          { name: 'Limits' },
          { name: 'Generation', number: true },
          { name: 'State' },
          { name: '' },
        ],
        rows: all.map((route) => ({
          key: route.name,
          cells: cells(route, figures.get(route.name), { pauses, slots }),
        })),
      }),
    ),
  ]
}

function cells(route, figures, { pauses, slots }) {
  const { file, generation, held, isGone, limits, name, running, waiting, waits } = route
  const pause = pauses.find((one) => one.route === name && !one.isFleet)
  const ofFleet = pauses.find((one) => (one.route === name || one.route === null) && one.isFleet)
  const most = Math.min(slots.total, limits.concurrency ?? slots.total)
  const used = most === 0 ? 0 : Math.min(1, running / most)
  const runs = figures?.runs ?? 0
  return [
    [h('strong', {}, words(name)), h('small', {}, words(file))],
    count(running),
    bar(used, `${percent(used)} of what ${name} may take`),
    count(waiting),
    count(held),
    span(figures?.p50),
    span(figures?.p95),
    runs === 0
      ? '–'
      : h(
          'span',
          { class: figures.failing > 0.2 ? 'bad' : undefined, title: `of ${runs} runs` },
          percent(figures.failing),
        ),
    h('span', { class: 'short' }, limitsOf(limits)),
    count(generation),
    isGone ? h('span', { class: 'tag' }, 'not there any more') : stateOf(waits, pause, ofFleet),
    pause !== undefined
      ? button('Resume', 'resume', { route: name, about: `the route ${name}` })
      : !isGone && button('Pause', 'pause', { route: name, about: `the route ${name}` }),
  ]
}

function bar(part, label) {
  const meter = { role: 'meter', class: 'used', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': 100 }
  return h(
    'div',
    { ...meter, 'aria-valuenow': Math.round(part * 100), 'data-part': Math.round(part * 100) / 100 },
    h('div'),
  )
}

function limitsOf({ concurrency, rate, serial, serialScope, weight }) {
  const of = (scope) => (scope === 'fleet' ? ' in the fleet' : '')
  const all = [
    concurrency !== null && `${count(concurrency)} at a time`,
    rate !== null &&
      `${count(rate.count)} in ${span(rate.window)}${of(rate.scope)}${rate.left === null ? '' : ` (${count(rate.left)} left)`}`,
    serial !== null && `one per ${serial}${of(serialScope)}`,
    weight !== 1 && `takes ${weight} slots`,
  ].filter(Boolean)
  return all.length === 0 ? h('span', { class: 'dim' }, 'none') : all.join(', ')
}

const WAITS = {
  operator: ['bad', 'paused'],
  failing: ['bad', 'all fails on it'],
  concurrency: ['warn', 'at its limit'],
  rate: ['warn', 'rate used up'],
}

function stateOf(waits, pause, ofFleet) {
  if (waits.length === 0) return h('span', { class: 'tag good' }, 'takes clinks')
  const why = [pause && wanted(pause, ''), ofFleet && wanted(ofFleet, 'in the fleet, ')]
  return [
    waits.map((wait) => [h('span', { class: `tag ${WAITS[wait]?.[0] ?? ''}` }, WAITS[wait]?.[1] ?? wait), ' ']),
    why,
  ]
}

/** A pause of a route that was renamed or taken away. */
const kept = ({ route, ...pause }) =>
  h(
    'p',
    { class: 'warn' },
    'A pause is kept for the route ',
    words(route),
    ', which is not there ',
    wanted(pause, ''),
    ' ',
    button('Resume', 'resume', { route, about: `the route ${route}` }),
  )

const wanted = ({ by, note }, where) => h('small', {}, words(`${where}by ${by}${note === null ? '' : `: ${note}`}`))
