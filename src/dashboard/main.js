import { actions, say } from './actions.js'
import { clink } from './clink.js'
import { button, h, morph, words } from './dom.js'
import { failures } from './failures.js'
import { fleet } from './fleet.js'
import { clock, count, span } from './format.js'
import { health } from './health.js'
import { inbox } from './inbox.js'
import { now } from './now.js'
import { routes } from './routes.js'
import { follow, look, token } from './service.js'

/** Each with what it needs beside what is always told, and in how many milliseconds that is asked for again. */
const views = {
  now: { name: 'Now', show: now },
  inbox: { name: 'Inbox', show: inbox, needs: { inbox: 'inbox' }, every: 5_000 },
  failures: { name: 'Failures', show: failures, needs: { failed: 'failed' }, every: 5_000 },
  routes: { name: 'Routes', show: routes },
  fleet: { name: 'Fleet', show: fleet, needs: { fleet: 'fleet' }, every: 5_000 },
  health: { name: 'Health', show: health, needs: { condition: 'condition', audit: 'audit' }, every: 3_000 },
}
/** Milliseconds after which what is shown is no longer true. */
const STALE = 10_000

const byId = (id) => document.querySelector(`#${id}`)
const [main, stale] = [byId('content'), byId('stale')]
/** Everything that is known, as it was told last. */
const known = {}
let heardAt = Date.now()
let place = placeOf(location.hash)
let asking
let isLocked = false

function placeOf(hash) {
  const [name, ...rest] = hash.replace(/^#/, '').split('/')
  if (name === 'clink' && rest.length > 0) return { view: 'clink', id: decoded(rest.join('/')) }
  return { view: Object.hasOwn(views, name) ? name : 'now' }
}

function decoded(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function show() {
  if (isLocked || known.overview === undefined) return
  const content = place.view === 'clink' ? clink({ ...known, id: place.id }) : views[place.view].show(known)
  const wanted = h('main', { id: 'content', tabindex: -1, 'data-view': place.view }, content)
  morph(main, wanted)
  // The policy of the page takes no style in attributes.
  for (const meter of main.querySelectorAll('[data-part]'))
    meter.firstElementChild.style.inlineSize = `${meter.dataset.part * 100}%`
  showHead(known.overview)
}

const STATES = {
  working: ['works', 'good'],
  idle: ['idle', 'good'],
  paused: ['paused', 'warn'],
  draining: ['draining', 'warn'],
  drained: ['drained', 'warn'],
  'not-ready': ['not ready', 'bad'],
  stopping: ['stopping', 'bad'],
}

function showHead({ fleet: fleetName, status }) {
  const { alive, counts, draining, pauses, state, totals, worker } = status
  const whole = pauses.filter(({ route }) => route === null)
  const isPaused = whole.some(({ isFleet }) => !isFleet)
  const isFleetPaused = whole.some(({ isFleet }) => isFleet)
  const [word, kind] = alive ? (STATES[state] ?? [state, '']) : ['stands still', 'bad']
  const also = draining !== null && isPaused ? ', paused' : ''
  const inFleet = !isFleetPaused
    ? ''
    : draining !== null
      ? ', paused in the fleet'
      : isPaused
        ? ', and in the fleet'
        : ' in the fleet'
  const text = alive ? `${word}${also}${word === 'stopping' ? '' : inFleet}` : word
  morph(byId('state'), h('p', { id: 'state', class: `pill ${kind}` }, text))
  morph(byId('worker'), h('p', { id: 'worker', class: 'dim' }, `up ${span(worker.uptime)}`))
  const isHeld = draining !== null || isPaused
  const controls = isHeld
    ? [button('Resume', 'resume', { kind: 'main' })]
    : [button('Pause', 'pause'), button('Drain', 'drain')]
  morph(byId('controls'), h('div', { id: 'controls', class: 'controls' }, controls))
  const there = Object.entries(views).filter(([id]) => id !== 'fleet' || fleetName !== null)
  const tabs = there.map(([id, { name }]) => {
    const many =
      id === 'failures' && counts.deadLetters > 0 ? h('span', { class: 'many' }, count(counts.deadLetters)) : null
    const current = place.view === id ? { 'aria-current': 'page' } : {}
    return h('li', {}, h('a', { href: `#${id}`, ...current }, name, many && ' ', many))
  })
  morph(byId('tabs'), h('ul', { id: 'tabs' }, tabs))
  const done = `Since its start: ${count(totals.completed)} completed, ${count(totals.released)} released, ${count(totals.deadLettered)} given up, ${count(totals.lost)} lost.`
  morph(
    byId('footer'),
    h('p', { id: 'footer' }, done, ' ', words(`clink-worker ${worker.version}, pid ${worker.pid}, ${worker.session}`)),
  )
  document.title = `${counts.deadLetters > 0 ? `(${count(counts.deadLetters)}) ` : ''}clink-worker: ${text}`
}

/** What the view that is open needs beside the stream. */
async function ask() {
  clearTimeout(asking)
  const { view } = place
  const { every, needs } = view === 'clink' ? { needs: {}, every: 2_000 } : views[view]
  if (needs === undefined) return
  try {
    if (view === 'clink') await askClink()
    await Promise.all(Object.entries(needs).map(async ([name, path]) => (known[name] = await look(path))))
    if (place.view === view) show()
  } catch {
    // The stream says what there is to say.
  }
  if (place.view === view) {
    clearTimeout(asking)
    asking = setTimeout(() => void ask(), document.hidden ? every * 4 : every)
  }
}

async function askClink() {
  const { id } = place
  const found = await look('clink', { id, ...(known.isContentWanted === id && { content: true }) })
  if (place.id === id) known.found = found
}

function go() {
  // The link that skips to the content.
  if (location.hash === '#content') return
  const { id, view } = placeOf(location.hash)
  const isOther = view !== place.view || id !== place.id
  place = { id, view }
  if (isOther) {
    for (const name of ['found', 'log', 'isContentWanted', 'failed', 'inbox', 'condition', 'fleet']) delete known[name]
    scrollTo(0, 0)
    main.focus({ preventScroll: true })
  }
  show()
  void ask()
}

function watchAge() {
  const isStale = Date.now() - heardAt > STALE
  document.body.classList.toggle('stale', isStale && !isLocked)
  stale.hidden = !isStale || isLocked
  if (isStale) {
    const text = `No word from the worker since ${clock(heardAt)}. What is shown is of then; the page tries again by itself.`
    if (stale.textContent !== text) stale.textContent = text
  }
}

/** Nobody may look without the token: asks for it. */
async function unlock(error) {
  if (error.status !== 401) return say(error.message, true)
  isLocked = true
  watchAge()
  const field = h('input', { type: 'password', name: 'token', autocomplete: 'current-password', required: true })
  const form = h(
    'form',
    { class: 'token' },
    h('label', {}, 'Token', field),
    h('button', { class: 'main' }, 'Show the worker'),
  )
  const why =
    token.get() === null
      ? 'Beyond loopback the worker shows itself to those who have the token of server.tokenFile.'
      : `${error.message}.`
  main.replaceChildren(h('h1', {}, 'Who asks?'), h('p', { class: 'lead' }, why), form)
  await new Promise((resolve) =>
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      token.set(field.value.trim())
      resolve()
    }),
  )
  isLocked = false
  main.replaceChildren(h('p', { class: 'empty' }, 'Waiting for the worker…'))
}

async function press({ act, ...facts }) {
  if (act === 'show-content') known.isContentWanted = facts.id
  else if (act === 'show-log') {
    try {
      known.log = await look('clink/log', { id: facts.id })
    } catch (error) {
      say(error.message, true)
    }
  } else await actions[act]?.(facts)
  void ask()
}

document.addEventListener('click', ({ target }) => {
  const pressed = target instanceof Element ? target.closest('[data-act]') : null
  if (pressed !== null) void press(pressed.dataset)
})
byId('find').addEventListener('keydown', ({ key, target }) => {
  const id = target.value.trim()
  if (key !== 'Enter' || id === '') return
  location.hash = `#clink/${encodeURIComponent(id)}`
  target.value = ''
})
addEventListener('hashchange', go)
document.addEventListener('visibilitychange', () => void ask())
setInterval(watchAge, 1_000)

void follow((name, data) => {
  if (data?.error !== undefined) return
  heardAt = Date.now()
  known[name] = data
  show()
  watchAge()
}, unlock)
go()
