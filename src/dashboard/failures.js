import { button, clinkLink, h, section, table, words } from './dom.js'
import { ago, count, some, time } from './format.js'

export function failures({ failed, overview }) {
  const title = h('h1', {}, 'Failures')
  const { lateResults } = overview.status.counts
  const late =
    lateResults === 0
      ? null
      : h(
          'p',
          { class: 'dim' },
          `${some(lateResults, 'result')} came too late to tell Clink: `,
          h('code', {}, 'clink-worker failed list --late'),
        )
  if (failed === undefined) return [title, h('p', { class: 'empty' }, 'Asking…')]
  const { groups, leftOut } = failed
  const letters = groups.reduce((sum, group) => sum + group.count, leftOut.letters)
  return [
    title,
    h(
      'p',
      { class: 'lead' },
      letters === 0
        ? 'Nothing was given up.'
        : `${some(letters, 'clink was', 'clinks were')} given up, in ${some(groups.length + leftOut.groups, 'group')} of one route and one kind of error each.`,
    ),
    late,
    section(
      'By route and kind of error',
      null,
      table({
        caption: 'Dead letters by route and kind of error',
        empty: 'There are no dead letters. A clink comes here when its tries are used up, or its handler rejects it.',
        columns: [
          { name: 'Count', number: true },
          { name: 'Route' },
          { name: 'Error', wide: true },
          { name: 'First' },
          { name: 'Last' },
          { name: 'Some of them' },
          { name: '' },
        ],
        rows: groups.map(({ count: many, first, kind, last, route, some: ids }) => ({
          key: `${route} ${kind}`,
          cells: [
            h('strong', {}, count(many)),
            words(route),
            words(kind === '' ? '(no words)' : kind, { class: 'line' }),
            h('span', { class: 'short' }, time(first)),
            h('span', { class: 'short', title: time(last) }, ago(last, overview.at)),
            h(
              'span',
              {},
              ids.slice(0, 3).map((id) => [clinkLink(id), ' ']),
            ),
            h('div', { class: 'buttons' }, both({ many, kind, route })),
          ],
        })),
      }),
      rest(leftOut),
    ),
  ]
}

function rest({ groups, letters }) {
  if (groups === 0) return null
  const text = `The largest are shown. Not shown: ${some(groups, 'group')} with ${some(letters, 'dead letter')}. `
  return h('p', { class: 'dim' }, text, h('code', {}, 'clink-worker failed list'))
}

function both({ kind, many, route }) {
  const about = `${many} of ${route}: ${kind}`
  return [
    button(many === 1 ? 'Retry' : 'Retry all', 'retry-alike', { about, kind: undefined, many, route, of: kind }),
    button(many === 1 ? 'Discard' : 'Discard all', 'discard-alike', { about, kind: 'danger', many, route, of: kind }),
  ]
}
