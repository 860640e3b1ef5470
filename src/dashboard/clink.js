import { button, h, section, words } from './dom.js'
import { clock, left, span, time } from './format.js'

const NAMES = {
  'clink.claimed': ['Claimed'],
  'clink.takenUp': ['Taken up after a restart'],
  'clink.claimFailed': ['A claim failed', 'warn'],
  'clink.started': ['Started'],
  'clink.ended': ['Run ended'],
  'clink.held': ['Held', 'warn'],
  'clink.renewed': ['Renewed'],
  'clink.renewalFailed': ['A renewal failed', 'warn'],
  'clink.renewalRefused': ['A renewal was refused', 'bad'],
  'clink.lost': ['Lease lost', 'bad'],
  'clink.stuck': ['Stuck', 'bad'],
  'clink.unstuck': ['No longer stuck'],
  'clink.step': ['Step'],
  'clink.completed': ['Completed', 'good'],
  'clink.released': ['Released'],
  'clink.settledElsewhere': ['Settled by somebody else', 'warn'],
  'clink.settlementFailed': ['Telling Clink failed', 'warn'],
  'clink.replayed': ['Its earlier result is sent'],
  'clink.leftToExpire': ['Its claim runs out', 'warn'],
  'clink.lateResult': ['Its result came too late', 'bad'],
  'clink.rerun': ['Run again by hand'],
  'clink.rerunDone': ['The result of the rerun was sent', 'good'],
  'clink.resultUnsent': ['Its result could not be sent', 'warn'],
  'clink.resultUnknown': ['Nothing says whether its result arrived', 'warn'],
  'clink.deadLettered': ['Given up', 'bad'],
}

export function clink({ found, id, log, overview }) {
  const title = h('h1', {}, 'Clink ', h('span', { class: 'id' }, words(id)))
  if (found === undefined) return [title, h('p', { class: 'empty' }, 'Asking…')]
  const { delivery, letter, timeline } = found
  return [
    title,
    facts({ delivery, letter, timeline }, overview),
    h(
      'div',
      { class: 'buttons' },
      delivery && button('Cancel', 'cancel', { id, about: `the clink ${id}` }),
      letter && button('Run again', 'run-again', { id, about: `the clink ${id}` }),
      button('Show its content', 'show-content', { id }),
      button(log === undefined ? 'Show its log' : 'Read its log again', 'show-log', { id }),
    ),
    content({ letter, timeline }),
    section(
      'What happened',
      timeline?.leftOut > 0 ? `${timeline.leftOut} moments are left out in between` : null,
      moments(timeline),
    ),
    letter && section('Errors', null, errors(letter)),
    log && section('Its log', log.isCut ? `the last ${log.lines.length} lines` : null, lines(log.lines)),
  ]
}

const STATES = {
  waiting: 'waits to start',
  running: 'runs',
  held: 'is held',
  asleep: 'sleeps',
  settling: 'is settled',
  settled: 'is settled',
  lost: 'its claim is lost',
}

function facts({ delivery, letter, timeline }, overview) {
  if (timeline === null && letter === null && delivery === null)
    return h(
      'p',
      { class: 'empty' },
      'This process has not worked it, or so long ago that it has forgotten it, and there is no dead letter of it.',
    )
  const state =
    delivery === null
      ? letter === null
        ? 'is not in hand'
        : `was given up ${time(letter.at)}`
      : STATES[delivery.state]
  const all = [
    ['Now', `It ${state}.`],
    ['Route', words(delivery?.route ?? letter?.route ?? timeline?.route ?? '–')],
    ['Group', words(timeline?.group ?? delivery?.group ?? letter?.clink.group_slug ?? letter?.clink.group_id)],
    ['From', words(timeline?.sender ?? delivery?.sender ?? letter?.clink.sender_id)],
    ['Sent', time(timeline?.sent ?? letter?.clink.created_at ?? overview.at)],
    delivery && ['Lease', `${left(delivery.lease)} left`],
    letter && ['Tries', letter.attempts],
  ]
  return h(
    'dl',
    { class: 'facts' },
    all.filter(Boolean).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  )
}

function content({ letter, timeline }) {
  const text = letter?.clink.content ?? timeline?.content
  if (text === undefined) return null
  return section(
    'Its content',
    null,
    h('pre', { dir: 'auto', tabindex: 0, 'aria-label': 'The content of the clink' }, text === '' ? '(empty)' : text),
    timeline?.response
      ? [
          h('h3', {}, 'What it was answered'),
          h('pre', { dir: 'auto', tabindex: 0, 'aria-label': 'The response' }, timeline.response),
        ]
      : null,
  )
}

function moments(timeline) {
  if (timeline === null || timeline.moments.length === 0)
    return h(
      'p',
      { class: 'empty' },
      'Nothing of it is in memory: the worker keeps the last 2,000 clinks, from its start on.',
    )
  const first = timeline.moments[0].at
  return h(
    'ol',
    { class: 'moments' },
    timeline.moments.map(({ at, attempt, event, text, times }, index) => {
      const isGivenUp = event === 'clink.completed' && timeline.moments[index - 1]?.event === 'clink.deadLettered'
      const [name, kind = ''] = isGivenUp ? ['Completed: its sender is told that it failed'] : (NAMES[event] ?? [event])
      const bad = event === 'clink.ended' && text !== null && !text.startsWith('done') ? 'warn' : kind
      return h(
        'li',
        { 'data-key': `${index} ${event}`, class: bad || undefined },
        h('time', { datetime: new Date(at).toISOString() }, clock(at)),
        h('span', { class: 'since' }, index === 0 ? '' : `+${span(at - first)}`),
        h(
          'span',
          { class: 'what' },
          h('strong', {}, name),
          times > 1 ? ` ${times} times` : '',
          attempt === null || event !== 'clink.started' ? '' : ` (try ${attempt})`,
          text === null ? null : [' ', words(text, { class: 'line' })],
        ),
      )
    }),
  )
}

function errors({ errors: all, reason }) {
  const texts = all.length === 0 ? [reason] : all
  return h(
    'ol',
    { class: 'errors' },
    texts.map((text) => h('li', {}, h('pre', { dir: 'auto', tabindex: 0, 'aria-label': 'An error' }, text))),
  )
}

function lines(all) {
  if (all.length === 0)
    return h('p', { class: 'empty' }, 'Its handler has said nothing, or it is not kept any more (log.keep).')
  return h(
    'ol',
    { class: 'log', tabindex: 0, 'aria-label': 'Lines of the log' },
    all.map(({ at, attempt, level, message }) =>
      h(
        'li',
        { class: level === 'error' ? 'bad' : level === 'warn' ? 'warn' : undefined },
        h('time', {}, clock(at)),
        ' ',
        h('span', { class: 'dim' }, `try ${attempt} ${level}`),
        ' ',
        words(message),
      ),
    ),
  )
}
