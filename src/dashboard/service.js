// How the page asks the worker, and is kept up to date by it.

const TOKEN = 'clink-worker-token'

export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  set: (text) => sessionStorage.setItem(TOKEN, text),
}

const headers = () => (token.get() === null ? {} : { authorization: `Bearer ${token.get()}` })

export class Refused extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

async function read(response) {
  const body = await response.json().catch(() => ({}))
  if (!response.ok) throw new Refused(response.status, body.error ?? `the worker answered ${response.status}`)
  return body
}

export async function look(path, params = {}) {
  const query = new URLSearchParams(params).toString()
  return await read(await fetch(`/api/${path}${query === '' ? '' : `?${query}`}`, { headers: headers() }))
}

export async function act(path, params = {}) {
  const body = JSON.stringify({ by: 'dashboard', ...params })
  const sent = { 'content-type': 'application/json', ...headers() }
  return await read(await fetch(`/api/${path}`, { method: 'POST', headers: sent, body }))
}

/** Milliseconds without a word after which the stream is begun anew, and between two tries. */
const SILENCE = 15_000
const AGAIN = 2_000

/** Calls `told(name, data)` with all news, for ever; `refused(error)` where the worker does not want to. */
export async function follow(told, refused) {
  for (;;) {
    try {
      await followOnce(told)
    } catch (error) {
      if (error instanceof Refused) await refused(error)
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN))
  }
}

async function followOnce(told) {
  const end = new AbortController()
  let silence
  const heard = () => {
    clearTimeout(silence)
    silence = setTimeout(() => end.abort(), SILENCE)
  }
  heard()
  try {
    const response = await fetch('/api/events', { headers: headers(), signal: end.signal })
    if (!response.ok) await read(response)
    let text = ''
    const decoder = new TextDecoder()
    const reader = response.body.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      heard()
      text += decoder.decode(value, { stream: true })
      const events = text.split('\n\n')
      text = events.pop()
      for (const event of events) tell(event, told)
    }
  } finally {
    clearTimeout(silence)
    end.abort()
  }
}

function tell(event, told) {
  const fields = new Map(event.split('\n').map((line) => line.split(/: (.*)/s, 2)))
  if (fields.has('event') && fields.has('data')) told(fields.get('event'), JSON.parse(fields.get('data')))
}
