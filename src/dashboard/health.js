import { h, section, table, words } from './dom.js'
import { count, size, span, time } from './format.js'

export function health({ audit, condition, overview }) {
  const { status } = overview
  const title = h('h1', {}, 'Health')
  if (condition === undefined) return [title, h('p', { class: 'empty' }, 'Asking…')]
  const { journal, lateness, loops, memory, service } = condition
  return [
    title,
    h(
      'dl',
      { class: 'facts' },
      fact('Alive', status.alive ? 'yes: its loops make progress' : 'no', status.alive ? 'good' : 'bad'),
      fact('Ready', status.ready ? 'yes: it takes clinks' : 'no', status.ready ? 'good' : 'bad'),
      status.reasons.length === 0 ? null : fact('Why not', h('span', {}, words(status.reasons.join('; ')))),
      fact(
        'Event loop',
        `late by ${span(lateness.last)}, at most ${span(lateness.most)} in the last minute`,
        lateness.most > 1_000 && 'warn',
      ),
      fact(
        'Journal',
        journal.isWritable ? size(journal.bytes) : 'it cannot be written',
        journal.isWritable ? '' : 'bad',
      ),
      fact('Memory', size(memory)),
      fact('Claims', `${status.claims === 'none' ? 'none' : `by ${status.claims}`}; siblings: ${status.siblings}`),
      fact(
        'Key',
        [
          words(status.key.refusal ?? (status.key.isProven ? 'it works' : 'not proven yet')),
          ' ',
          h('small', {}, status.key.fingerprint),
        ],
        status.key.refusal ? 'bad' : '',
      ),
      fact('Service', words(status.worker.url)),
      fact('Session', words(status.worker.session)),
      fact('Identity', words(status.identity ?? 'not known yet')),
    ),
    loopTable(loops),
    answers(service),
    section('What operators did', null, acts(audit ?? [])),
  ]
}

function loopTable(loops) {
  return section(
    'Loops',
    null,
    table({
      caption: 'Loops of the worker',
      empty: 'No loop is under way.',
      columns: [
        { name: 'Loop' },
        { name: 'How many', number: true },
        { name: 'Last progress', number: true },
        { name: 'Late in', number: true },
      ],
      rows: loops.map(({ count: many, left, name, since }) => ({
        key: name,
        cells: [
          name,
          count(many),
          `${span(since)} ago`,
          left < 0 ? h('span', { class: 'bad' }, `late by ${span(-left)}`) : span(left),
        ],
      })),
    }),
  )
}

function answers(service) {
  return section(
    'What the service answers',
    'since the start',
    table({
      caption: 'Answers of the service by operation',
      empty: 'Nothing was asked yet.',
      columns: [
        { name: 'Operation' },
        { name: 'Answer' },
        { name: 'Count', number: true },
        { name: 'Last', number: true },
        { name: 'Mean', number: true },
      ],
      rows: service.map(({ answer, count: many, last, mean, operation }) => ({
        key: `${operation} ${answer}`,
        cells: [
          operation,
          h(
            'span',
            { class: `tag ${answer.startsWith('2') ? 'good' : answer.startsWith('4') ? 'warn' : 'bad'}` },
            answer,
          ),
          count(many),
          span(last),
          span(mean),
        ],
      })),
    }),
  )
}

function fact(name, value, kind = '') {
  return h('div', {}, h('dt', {}, name), h('dd', { class: kind || undefined }, value))
}

/** As many as anybody reads. */
const SHOWN = 100

function acts(audit) {
  const isOfFleet = audit.some(({ member }) => member !== undefined)
  return table({
    caption: 'What operators did, the last first',
    empty: 'Nobody has done anything yet.',
    columns: [
      { name: 'When' },
      { name: 'What' },
      { name: 'By' },
      isOfFleet && { name: 'Worker' },
      { name: 'About', wide: true },
      { name: 'Why' },
      { name: 'What came of it' },
    ].filter(Boolean),
    rows: audit
      .toReversed()
      .slice(0, SHOWN)
      .map(({ about, act, at, by, machine, member, note, outcome }, index) => ({
        key: `${at} ${act} ${index}`,
        cells: [
          time(at),
          act,
          words(by),
          isOfFleet && words(member === undefined ? '–' : `${machine} (${member.slice(0, 6)})`),
          words(about ?? '–', { class: 'line' }),
          words(note ?? '–'),
          words(outcome ?? '–'),
        ].filter(Boolean),
      })),
  })
}
