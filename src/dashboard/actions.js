import { h, words } from './dom.js'
import { count, some } from './format.js'
import { act } from './service.js'
import { visible } from './visible.js'

const dialog = document.querySelector('#dialog')
const told = document.querySelector('#told')
let hiding

/** Says for a moment what came of it; screen readers say it as well. */
export function say(text, isTrouble = false) {
  told.textContent = visible(text)
  told.classList.toggle('trouble', isTrouble)
  clearTimeout(hiding)
  hiding = setTimeout(() => (told.textContent = ''), 8_000)
}

/** @returns the choice that was made, or undefined; with a note where one was asked for. */
async function ask(title, text, choices, { note = false } = {}) {
  const field =
    note && h('label', {}, 'Why (others see it)', h('input', { name: 'note', maxlength: 1000, autocomplete: 'off' }))
  const buttons = choices.map(({ kind, name, value }) => h('button', { value, class: kind ?? 'main' }, name))
  const leave = h('button', { value: '', autofocus: true }, 'Leave it')
  const form = h('form', { method: 'dialog' }, field, h('div', { class: 'buttons' }, leave, buttons))
  dialog.replaceChildren(h('h2', { id: 'dialog-title' }, title), h('p', {}, text), form)
  // The policy of the page forbids forms that go anywhere: this one goes nowhere.
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    dialog.close(event.submitter?.value ?? '')
  })
  dialog.returnValue = ''
  dialog.showModal()
  await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }))
  const said = form.elements.namedItem('note')?.value?.trim()
  return dialog.returnValue === '' ? undefined : { choice: dialog.returnValue, ...(said ? { note: said } : {}) }
}

async function change(path, params, done) {
  try {
    say(done(await act(path, params)))
    return true
  } catch (error) {
    say(error.message, true)
    return false
  }
}

const noted = ({ note }) => (note === undefined ? {} : { note })

/** What buttons do, by their `data-act`. */
export const actions = {
  pause: async ({ route }) => {
    const what = route === undefined ? 'the worker' : `the route ${route}`
    const text =
      'It takes no more clinks, over restarts too, until somebody resumes it. What it has in hand it finishes.'
    const answer = await ask(`Pause ${what}?`, text, [{ name: 'Pause', value: 'pause' }], { note: true })
    if (answer !== undefined)
      await change('pause', { ...(route && { route }), ...noted(answer) }, () => `Paused ${what}`)
  },
  resume: async ({ route }) =>
    await change('resume', route ? { route } : {}, ({ fleet = [], was }) => {
      const still = fleet.length === 0 ? '' : '; its fleet stays paused: clink-worker resume --fleet'
      return `${was ? 'Resumed' : 'It was not paused'}${still}`
    }),
  drain: async () => {
    const text =
      'It takes no more clinks, finishes those that run, and gives back what waits. It stays up until you resume it.'
    const answer = await ask('Drain the worker?', text, [{ name: 'Drain', value: 'drain' }], { note: true })
    if (answer !== undefined)
      await change('drain', noted(answer), ({ inHand }) => `Draining: ${some(inHand, 'clink')} in hand`)
  },
  cancel: async ({ id }) => {
    const choices = [
      { name: 'Cancel, give it back', value: 'release' },
      { name: 'Cancel, make it a dead letter', value: 'reject', kind: 'danger' },
    ]
    const text = h('span', {}, 'The run of ', words(id), ' is aborted.')
    const answer = await ask('Cancel this clink?', text, choices, { note: true })
    if (answer !== undefined)
      await change('cancel', { id, to: answer.choice, ...noted(answer) }, (came) => CANCELLED[came] ?? came)
  },
  'run-again': async ({ id }) => await change('failed/retry', { ids: [id] }, ([came]) => RETRIED[came] ?? came),
  'retry-alike': async ({ many, of: kind, route }) => {
    const text = h('span', {}, 'Their attempts count from the beginning. All that have failed like this: ', words(kind))
    const name = `Retry ${many === '1' ? 'it' : `all ${count(Number(many))}`}`
    const title = `Retry ${some(Number(many), 'dead letter')} of ${route}?`
    const answer = await ask(title, text, [{ name, value: 'retry' }])
    if (answer !== undefined) await change('failed/alike', { act: 'retry', route, kind }, retriedAll)
  },
  'discard-alike': async ({ many, of: kind, route }) => {
    const text = h('span', {}, 'They are forgotten, and not run again. All that have failed like this: ', words(kind))
    const name = `Discard ${many === '1' ? 'it' : `all ${count(Number(many))}`}`
    const title = `Discard ${some(Number(many), 'dead letter')} of ${route}?`
    const answer = await ask(title, text, [{ name, value: 'discard', kind: 'danger' }])
    if (answer !== undefined)
      await change(
        'failed/alike',
        { act: 'discard', route, kind },
        ({ done }) => `Discarded ${some(done, 'dead letter')}`,
      )
  },
}

const CANCELLED = {
  aborted: 'Cancelled: its handler is told to stop',
  waited: 'Cancelled before it ran',
  late: 'It is too late: its result is being told',
  unknown: 'It is not in hand any more',
}
const RETRIED = {
  done: 'It is run when it comes again',
  rerun: 'It is run again, and its result is sent as a new clink',
  elsewhere: 'Another worker of the fleet runs it again already',
  unknown: 'It is no dead letter any more',
}

function retriedAll({ done, elsewhere, rerun, unknown }) {
  const again = rerun === 0 ? '' : `, ${count(rerun)} of them with a result that is sent as a new clink`
  const gone = unknown === 0 ? '' : `; ${count(unknown)} were none any more`
  const others = elsewhere === 0 ? '' : `; other workers run ${count(elsewhere)} again already`
  return `Retried ${some(done + rerun, 'dead letter')}${again}${others}${gone}`
}
