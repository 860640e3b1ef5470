import { visible } from './visible.js'

// Elements are made of text only: nothing that anybody says becomes HTML.

const SVG = 'http://www.w3.org/2000/svg'
/** Attributes that people read or hear. */
const READ = new Set(['aria-label', 'aria-valuetext', 'title'])
const DRAWN = new Set(['svg', 'g', 'path', 'rect', 'line', 'polyline', 'text'])

/** An element with its attributes and what is in it; null and false are nothing. */
export function h(tag, attributes = {}, ...children) {
  const element = DRAWN.has(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue
    const text = value === true ? '' : String(value)
    element.setAttribute(name, READ.has(name) ? visible(text) : text)
  }
  const all = children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false)
  element.append(...all.map((one) => (typeof one === 'string' ? visible(one) : one)))
  return element
}

/** Words of somebody else: in whatever direction they are written, and without an effect on what stands beside them. */
export const words = (text, attributes = {}) => h('bdi', attributes, text)

/**
 * Makes what is shown like what is to be shown, and leaves alone what is the same: so nobody loses the focus, a selection or a place.
 */
export function morph(shown, wanted) {
  for (const { name } of Array.from(shown.attributes))
    if (!wanted.hasAttribute(name) && name !== 'style') shown.removeAttribute(name)
  for (const { name, value } of wanted.attributes)
    if (shown.getAttribute(name) !== value) shown.setAttribute(name, value)
  const keyed = new Map([...shown.children].filter(({ dataset }) => dataset?.key).map((one) => [one.dataset.key, one]))
  let at = shown.firstChild
  for (const next of Array.from(wanted.childNodes)) {
    const known = next.nodeType === Node.ELEMENT_NODE ? keyed.get(next.dataset?.key) : undefined
    if (known !== undefined && known !== at) shown.insertBefore(known, at)
    const old = known ?? (at !== null && !at.dataset?.key ? at : null)
    if (old === null || old.nodeName !== next.nodeName) shown.insertBefore(next, at)
    else {
      if (next.nodeType === Node.TEXT_NODE) {
        if (old.data !== next.data) old.data = next.data
      } else morph(old, next)
      at = old.nextSibling
    }
  }
  while (at !== null) {
    const after = at.nextSibling
    at.remove()
    at = after
  }
}

/** A table whose cells know what their column is called: narrow screens show a row as a card. */
export function table({ caption, columns, empty, rows }) {
  if (rows.length === 0) return h('p', { class: 'empty' }, empty)
  const heads = columns.map(({ name, number }) =>
    h('th', { scope: 'col', class: number && 'number' }, name === '' ? h('span', { class: 'unseen' }, 'Acts') : name),
  )
  const body = rows.map(({ cells, key }) =>
    h(
      'tr',
      { 'data-key': key },
      cells.map((cell, at) => {
        const { name, number, wide } = columns[at]
        const attributes = { class: [number && 'number', wide && 'wide'].filter(Boolean).join(' ') || undefined }
        return h('td', { ...attributes, 'data-name': name }, cell)
      }),
    ),
  )
  const title = h('caption', { class: 'unseen' }, caption)
  return h('table', {}, title, h('thead', {}, h('tr', {}, heads)), h('tbody', {}, body))
}

/** @param act what `main.js` does when it is pressed. */
export function button(text, act, more = {}) {
  const { about, kind, ...data } = more
  const facts = Object.entries(data).map(([name, value]) => [`data-${name}`, value])
  const label = about === undefined ? {} : { 'aria-label': `${text} ${about}` }
  return h('button', { type: 'button', class: kind, 'data-act': act, ...label, ...Object.fromEntries(facts) }, text)
}

export const clinkLink = (id) => h('a', { href: `#clink/${encodeURIComponent(id)}`, class: 'id' }, words(id))

export function section(title, note, ...content) {
  const aside = note === undefined || note === null ? null : h('span', { class: 'note' }, note)
  return h('section', {}, h('h2', {}, title, aside && ' ', aside), ...content)
}
