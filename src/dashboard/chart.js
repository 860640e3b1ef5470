import { h } from './dom.js'
import { clock } from './format.js'

const [WIDTH, HEIGHT] = [600, 84]

/**
 * A chart of the last hour, over whole spans of time; those in which nothing was noted are 0, or a gap.
 *
 * @param series each `{ name, kind, of(span), style: 'bar' | 'line' | 'area' }`; bars stand on each other.
 */
export function chart({ history, note, series, title, unit }) {
  const { at, length, spans } = history
  const many = Math.round(3_600_000 / length)
  const first = Math.floor(at / length) * length - (many - 1) * length
  const by = new Map(spans.map((span) => [Math.round((span.at - first) / length), span]))
  const bars = series.filter(({ style }) => style === 'bar')
  const heights = [...by.values()].flatMap((span) => [
    bars.reduce((sum, { of }) => sum + (of(span) ?? 0), 0),
    ...series.map(({ of }) => of(span) ?? 0),
  ])
  const top = niceTop(Math.max(0, ...heights))
  const x = (index) => (index / many) * WIDTH
  const y = (value) => HEIGHT - (value / top) * (HEIGHT - 4)
  const drawn = series.filter(({ style }) => style !== 'bar').flatMap((one) => lines(one, { by, many, x, y }))
  const stacked = [...by].flatMap(([index, span]) => {
    let base = 0
    return bars.map(({ kind, of }) => {
      const value = of(span) ?? 0
      if (value === 0 || index < 0) return null
      base += value
      const tall = Math.max(1, y(0) - y(value))
      return h('rect', { class: kind, x: x(index) + 0.4, y: y(base), width: WIDTH / many - 0.8, height: tall })
    })
  })
  const legend = series.map(({ kind, name }) => h('span', { class: `key ${kind}` }, name))
  const grid = [0.5, 1].map((part) =>
    h('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y(top * part), y2: y(top * part) }),
  )
  const label = `${title}, the last hour: ${note}`
  const drawing = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label }
  return h(
    'figure',
    {},
    h(
      'figcaption',
      {},
      h('strong', {}, title),
      h('span', { class: 'keys' }, legend),
      h('span', { class: 'value' }, note),
    ),
    h('div', { class: 'plot' }, h('svg', drawing, grid, stacked, drawn), h('span', { class: 'top' }, unit(top))),
    h('div', { class: 'axis', 'aria-hidden': 'true' }, h('span', {}, clock(first).slice(0, 5)), h('span', {}, 'now')),
  )
}

function lines({ kind, of, style }, { by, many, x, y }) {
  const pieces = []
  let piece = []
  for (let index = 0; index < many; index += 1) {
    const value = by.has(index) ? of(by.get(index)) : null
    if (value === null) piece = []
    else {
      if (piece.length === 0) pieces.push(piece)
      piece.push([x(index + 0.5), y(value)])
    }
  }
  return pieces.map((points) => {
    if (points.length === 1) points.push([points[0][0] + WIDTH / many / 2, points[0][1]])
    const text = points.map((point) => point.map((one) => one.toFixed(1)).join(',')).join(' ')
    if (style !== 'area') return h('polyline', { class: `line ${kind}`, points: text })
    const [from, to] = [points[0][0], points.at(-1)[0]]
    return h('path', {
      class: `area ${kind}`,
      d: `M${from.toFixed(1)},${y(0)} L${text.replaceAll(' ', ' L')} L${to.toFixed(1)},${y(0)} Z`,
    })
  })
}

/** 1, 2 or 5, and its tens. */
function niceTop(most) {
  if (most <= 0) return 1
  const ten = 10 ** Math.floor(Math.log10(most))
  return [1, 2, 5, 10].map((step) => step * ten).find((step) => step >= most)
}
