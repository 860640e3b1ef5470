import { clinkLink, h, section, table, words } from './dom.js'
import { count, some, span, time } from './format.js'
import { whyNot } from './now.js'

export function inbox({ inbox: list }) {
  const title = h('h1', {}, 'Inbox')
  if (list === undefined) return [title, h('p', { class: 'empty' }, 'Asking…')]
  if (list === null)
    return [
      title,
      h(
        'p',
        { class: 'empty' },
        'It is not known yet what waits. The worker looks about every 30 s while somebody watches, and not while the service fails or limits the rate.',
      ),
    ]
  const { age, isSaturated, leftAlone, oldest, pending, rows } = list
  const more = isSaturated ? ' There may be more: a look shows 100 at most.' : ''
  const old = oldest === null ? '' : `, the oldest for ${span(oldest)}`
  return [
    title,
    h(
      'p',
      { class: 'lead' },
      `${some(pending, 'clink')} wait that it would take${old}; ${count(leftAlone)} it leaves alone.${more}`,
    ),
    h('p', { class: 'dim' }, `Looked at ${span(age)} ago. Looking claims nothing.`),
    section(
      'What waits',
      null,
      table({
        caption: 'Clinks in the inbox',
        empty: 'The inbox is empty.',
        columns: [
          { name: 'Clink' },
          { name: 'Group' },
          { name: 'From' },
          { name: 'For' },
          { name: 'Sent' },
          { name: 'What the worker would do', wide: true },
        ],
        rows: rows.map(({ for: recipient, group, id, route, sender, sent, why }) => ({
          key: id,
          cells: [
            clinkLink(id),
            words(group),
            words(sender),
            recipient === null ? h('span', { class: 'dim' }, 'anyone') : words(recipient),
            time(sent),
            verdict(route, why),
          ],
        })),
      }),
    ),
  ]
}

function verdict(route, why) {
  if (route !== null) return [h('span', { class: 'tag good' }, 'take'), ' by ', words(route)]
  if (why === null) return h('span', { class: 'tag warn' }, 'cannot be told')
  return [h('span', { class: 'tag' }, 'leave'), ' ', whyNot(why)]
}
