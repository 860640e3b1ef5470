import { chart } from './chart.js'
import { button, clinkLink, h, section, table, words } from './dom.js'
import { count, left, some, span } from './format.js'

/** The longest lease that was seen: what is left of one is shown beside it. */
let longest = 1

/** How long a run may say nothing before that is worth a look, in milliseconds. */
const QUIET = 60_000

export function now({ history, overview }) {
  const { inbox, runs, status } = overview
  const by = new Map(runs.map((run) => [run.id, run]))
  longest = Math.max(longest, ...status.deliveries.map(({ lease }) => lease))
  const running = status.deliveries.filter(({ state }) => state === 'running' || state === 'lost')
  const others = status.deliveries.filter(({ state }) => state !== 'running' && state !== 'lost')
  const { counts, slots } = status
  const note =
    status.deliveriesLeftOut === 0
      ? null
      : `${count(status.deliveriesLeftOut)} in hand are left out: those that run come first, then the oldest`
  return [
    h('h1', { class: 'unseen' }, 'Now'),
    sentence(status),
    figures([
      [count(counts.running), 'running', `of ${some(slots.total, 'slot')}`],
      [count(counts.queued), 'about to start'],
      [count(counts.held), 'held', 'back off or sleep'],
      [count(counts.settling), 'settling'],
      [waiting(inbox), 'in the inbox', inbox?.oldest ? `oldest ${span(inbox.oldest)}` : null, '#inbox'],
      [count(counts.deadLetters), 'given up', null, '#failures', counts.deadLetters > 0 && 'bad'],
    ]),
    section(
      'Running',
      note,
      table({
        caption: 'Clinks whose handlers run',
        empty: 'No handler runs.',
        columns: [
          { name: 'Clink' },
          { name: 'Route' },
          { name: 'Try', number: true },
          { name: 'Runs for', number: true },
          { name: 'Quiet for', number: true },
          { name: 'Lease' },
          { name: 'Says', wide: true },
          { name: '' },
        ],
        rows: running.map((one) => ({ key: one.id, cells: runningCells(one, by.get(one.id)) })),
      }),
    ),
    others.length === 0 ? null : section('Waiting and settling', null, waitingTable(others)),
    status.notWorked.length === 0
      ? null
      : section('Not worked', 'of what waits, as the last look at the inbox has shown it', notWorked(status)),
    status.parked.length + status.leftAlone.length === 0 ? null : section('Not taken', null, notTaken(status)),
    history && charts(history),
  ]
}

const waiting = (inbox) => (inbox === null ? '–' : `${count(inbox.pending)}${inbox.isSaturated ? '+' : ''}`)

/** What keeps it from working, and what to type. */
function sentence({ counts, next, state }) {
  if (next === null) {
    const text =
      state === 'idle' ? 'It waits for clinks: nothing keeps it from working.' : 'It works: nothing keeps it from that.'
    return h('p', { class: 'sentence good' }, text)
  }
  const isBad = !['working', 'idle'].includes(state) || counts.stuck > 0
  // The name of an operation stays as it is.
  const why = /^[a-z]+_/.test(next.why) ? next.why : next.why.charAt(0).toUpperCase() + next.why.slice(1)
  return h(
    'div',
    { class: `sentence ${isBad ? 'bad' : ''}` },
    h('p', {}, words(`${why}.`)),
    next.command && h('p', {}, h('span', { class: 'dim' }, 'Next: '), h('code', {}, next.command)),
  )
}

function figures(all) {
  return h(
    'ul',
    { class: 'figures' },
    all.map(([value, name, note, href, kind]) => {
      const inside = [h('strong', {}, value), ' ', h('span', {}, name), note ? [' ', h('small', {}, note)] : null]
      return h('li', { class: kind || undefined }, href ? h('a', { href }, inside) : inside)
    }),
  )
}

function runningCells({ attempt, for: lasts, group, id, isStuck, lease, route, state }, run) {
  const silence = run === undefined ? null : run.silence
  const trouble = isStuck
    ? 'stuck: it ignores its abort'
    : state === 'lost'
      ? 'its claim is lost; its code has not ended'
      : null
  return [
    [clinkLink(id), h('small', {}, words(group))],
    words(route),
    count(attempt),
    span(lasts),
    h('span', { class: silence > QUIET ? 'warn' : undefined }, span(silence)),
    leaseBar(id, lease),
    [
      trouble && h('span', { class: 'tag bad' }, trouble),
      run?.line ? words(run.line, { class: 'line' }) : trouble ? null : h('span', { class: 'dim' }, '–'),
    ],
    button('Cancel', 'cancel', { id, about: `the clink ${id}` }),
  ]
}

function leaseBar(id, lease) {
  const part = Math.max(0, Math.min(1, lease / longest))
  const kind = part < 0.15 ? 'bad' : part < 0.4 ? 'warn' : ''
  const meter = {
    role: 'meter',
    class: `lease ${kind}`,
    'aria-label': `Lease left of ${id}`,
    'aria-valuemin': 0,
    'aria-valuemax': Math.round(longest / 1_000),
    'aria-valuenow': Math.round(Math.max(0, lease) / 1_000),
    'aria-valuetext': span(Math.max(0, lease)),
    'data-part': Math.round(part * 1_000) / 1_000,
  }
  return h('div', { class: 'leased' }, h('div', meter, h('div')), h('span', { class: 'number' }, left(lease)))
}

const STATES = {
  waiting: 'waits for its place',
  held: 'held',
  asleep: 'asleep',
  settling: 'settling',
  settled: 'settled, its code has not ended',
}

function waitingTable(others) {
  return table({
    caption: 'Clinks in hand that do not run',
    empty: '',
    columns: [
      { name: 'Clink' },
      { name: 'Route' },
      { name: 'State' },
      { name: 'Tries', number: true },
      { name: 'For', number: true },
      { name: 'Starts in', number: true },
      { name: 'Lease' },
      { name: 'Why', wide: true },
      { name: '' },
    ],
    rows: others.map(({ attempt, due, for: lasts, group, id, lease, route, state, why }) => ({
      key: id,
      cells: [
        [clinkLink(id), h('small', {}, words(group))],
        words(route),
        STATES[state] ?? state,
        count(attempt),
        span(lasts),
        due === null ? '–' : span(due),
        leaseBar(id, lease),
        why ? words(why, { class: 'line' }) : h('span', { class: 'dim' }, '–'),
        button('Cancel', 'cancel', { id, about: `the clink ${id}` }),
      ],
    })),
  })
}

/** What waits, by route and sender. */
function notWorked(status) {
  const { notWorked: all } = status
  return table({
    caption: 'Clinks that wait and are not worked now, by route and sender',
    empty: '',
    columns: [
      { name: 'Why', wide: true },
      { name: 'Route' },
      { name: 'From' },
      { name: 'Clinks', number: true },
      { name: 'Until', number: true },
    ],
    rows: all.map(({ count: many, isParked, left: rest, route, sender, why }) => ({
      key: JSON.stringify([why, route, sender, isParked]),
      cells: [
        why === 'paused' && isOfFleet(route, status) ? 'its route is paused in the fleet' : whyNot(why),
        route === null ? '–' : words(route),
        sender === null ? '–' : words(sender),
        count(many),
        rest === null ? '–' : `${isParked ? 'claimed for ' : ''}${span(rest)}`,
      ],
    })),
  })
}

/** Whether only the fleet has paused it. */
function isOfFleet(name, { draining, pauses }) {
  const of = pauses.filter(({ route }) => name === null || route === null || route === name)
  return draining === null && of.length > 0 && of.every(({ isFleet }) => isFleet)
}

function notTaken({ leftAlone, parked }) {
  return table({
    caption: 'Clinks that are not worked, by why',
    empty: '',
    columns: [
      { name: 'Why', wide: true },
      { name: 'Parked', number: true },
      { name: 'Left alone', number: true },
    ],
    rows: [...new Set([...parked, ...leftAlone].map(({ why }) => why))].map((why) => ({
      key: why,
      cells: [whyNot(why), countOf(parked, why), countOf(leftAlone, why)],
    })),
  })
}

function countOf(all, why) {
  const found = all.find((one) => one.why === why)
  return found === undefined ? '–' : count(found.count)
}

const WHYS = {
  'not-claimed': 'another caller won it',
  'in-hand': 'it is in hand already',
  'own-reply': 'an answer of this worker, or of one of ours',
  'out-of-scope': 'the configuration leaves it out',
  note: 'a note of a worker: nobody is to answer it',
  circle: 'workers have answered each other too often',
  muted: 'its sender and we answer each other in a circle',
  'given-up': 'it was given up here',
  discarded: 'it was given up here, and discarded',
  cooling: 'its handler released it a while ago',
  'no-route': 'no route takes it',
  malformed: 'its record is incomplete',
  'identity-unknown': 'it is not known yet who we are',
  'other-owner': 'its claim is somebody else’s',
  'owner-unknown': 'it is not known whose its claim is',
  unjudged: 'its route could not be found out',
  paused: 'its route is paused',
  failing: 'all fails on its route',
  concurrency: 'its route is at its limit',
  rate: 'the rate of its route is used up',
  serial: 'another one of its group or sender is worked',
  slots: 'all slots are taken',
  stopping: 'the worker stops',
  'inbox.groups': 'inbox.groups leaves it out',
  'inbox.for': 'inbox.for leaves it out',
  'inbox.maxAge': 'inbox.maxAge leaves it out',
  'inbox.ignore': 'inbox.ignore leaves it out',
}

export const whyNot = (why) => WHYS[why] ?? words(why)

function charts(history) {
  const sum = (of) => history.spans.reduce((all, one) => all + of(one), 0)
  const [done, failed, given] = ['done', 'failed', 'deadLettered'].map((name) => sum((one) => one[name]))
  const last = history.spans.findLast(({ p50 }) => p50 !== null)
  const runs = `${some(done, 'run')} done, ${count(failed)} failed${given === 0 ? '' : `, ${some(given, 'clink')} given up`}`
  const inHand = history.spans.at(-1)?.inHand ?? 0
  const most = Math.max(0, ...history.spans.map((one) => one.inHand))
  return section(
    'The last hour',
    null,
    h(
      'div',
      { class: 'charts' },
      chart({
        history,
        title: 'Runs',
        note: runs,
        unit: (top) => `${count(top)} in ${span(history.length)}`,
        series: [
          { name: 'done', kind: 'done', style: 'bar', of: (one) => one.done },
          { name: 'failed', kind: 'failed', style: 'bar', of: (one) => one.failed },
        ],
      }),
      chart({
        history,
        title: 'Duration',
        note: last === undefined ? 'no run has ended' : `half within ${span(last.p50)}, 95 % within ${span(last.p95)}`,
        unit: span,
        series: [
          { name: '95 %', kind: 'slow', style: 'line', of: (one) => one.p95 },
          { name: 'half', kind: 'middle', style: 'line', of: (one) => one.p50 },
        ],
      }),
      chart({
        history,
        title: 'In hand',
        note: `${count(inHand)} now, ${count(most)} at most`,
        unit: count,
        series: [{ name: 'clinks', kind: 'middle', style: 'area', of: (one) => one.inHand }],
      }),
    ),
  )
}
