// An application that works clinks: Node, nothing but what comes with it.
//
// routes:
//   - name: answer
//     http: { url: http://127.0.0.1:8080/clinks, secretFile: ./secret }
//
// SECRET_FILE=./secret PORT=8080 node application.mjs

import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const { PORT = '8080', SECRET_FILE } = process.env

/** Whether the worker has signed it, not long ago (https://www.standardwebhooks.com). */
function isSigned(headers, body) {
  if (SECRET_FILE === undefined) return true
  const secret = Buffer.from(
    readFileSync(SECRET_FILE, 'utf8')
      .trim()
      .replace(/^whsec_/, ''),
    'base64',
  )
  const sent = headers['webhook-timestamp'] ?? '0'
  if (Math.abs(Date.now() / 1_000 - Number(sent)) > 300) return false
  const hmac = createHmac('sha256', secret).update(`${headers['webhook-id']}.${sent}.${body}`).digest('base64')
  const ours = Buffer.from(`v1,${hmac}`)
  return String(headers['webhook-signature'])
    .split(' ')
    .map((one) => Buffer.from(one))
    .some((one) => one.length === ours.length && timingSafeEqual(one, ours))
}

/** Asks the worker for what it does for this run: reply, log, step, sleep, keepalive, mask, draining. */
async function ask({ task: { token, url } }, request, what = {}) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ request, ...what }) })
  const { answer, error } = await response.json()
  if (error !== undefined) throw new Error(error)
  return answer
}

async function work(task) {
  const words = task.clink.content.split(/\s+/).filter((word) => word !== '')
  if (words.length === 0) return { headers: { 'Clink-Outcome': 'reject' }, text: 'there is nothing to count' }
  if (words.length > 500) await ask(task, 'reply', { text: `${words.length} words, this takes a moment` })
  const longest = words.reduce((a, b) => (b.length > a.length ? b : a))
  return { text: `${task.clink.sender_name}, you wrote ${words.length} words; the longest is ${longest}.` }
}

async function serve(request, response) {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk
  try {
    const answer = isSigned(request.headers, body)
      ? await work(JSON.parse(body))
      : { status: 401, text: 'it is not signed by the worker' }
    response.writeHead(answer.status ?? 200, { 'content-type': 'text/plain', ...answer.headers }).end(answer.text)
  } catch (error) {
    response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error.message))
  }
}

const server = createServer((request, response) => void serve(request, response))
server.listen(Number(PORT), '127.0.0.1', () => process.stdout.write(`listening at ${server.address().port}\n`))
