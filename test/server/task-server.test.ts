import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import { TaskServer } from '../../src/server/task-server.ts'
import { noServices } from '../support/task-services.ts'

function asked() {
  const logged: unknown[] = []
  const draining = new AbortController()
  const task = {
    services: {
      ...noServices,
      log: (_: string, message: unknown) => void logged.push(message),
      reply: async () =>
        await Promise.reject(new Error('ctx.reply: this run is over, nothing is sent for it any more')),
    },
    signals: { abort: new AbortController().signal, draining: draining.signal },
  }
  return { draining, logged, task }
}

async function post(url: string, token: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body,
  })
  return [response.status, await response.json()]
}

describe('§4: the server of task requests', () => {
  it('does what the run of the token may ask for, and nothing without one or after it (P13)', async () => {
    const server = new TaskServer()
    const { logged, task } = asked()
    const pass = await server.open(task)
    const { token, address: url } = pass
    const line = JSON.stringify({ request: 'log', message: 'at it' })

    expect(await post(url, token, line)).toEqual([200, { answer: {} }])
    expect(await post(url, 'f'.repeat(32), line)).toEqual([401, { error: 'no run of this worker has this token' }])
    expect(await post(url, '', line)).toMatchObject([401, { error: expect.stringContaining('Authorization: Bearer') }])
    pass.end()
    expect(await post(url, token, line)).toMatchObject([401, { error: expect.stringContaining('is over') }])
    expect(logged).toEqual(['at it'])
    await server.stop()
  })

  it('takes no token from the body: what is asked is asked for the run of the header', async () => {
    const server = new TaskServer()
    const [one, other] = [asked(), asked()]
    const first = await server.open(one.task)
    const second = await server.open(other.task)
    await post(first.address, first.token, JSON.stringify({ token: second.token, request: 'log', message: 'whose?' }))
    expect([one.logged, other.logged]).toEqual([['whose?'], []])
    await server.stop()
  })

  it('says what is wrong with a request', async () => {
    const server = new TaskServer()
    const { token, address: url } = await server.open(asked().task)
    const cases: readonly (readonly [string, Record<string, string>, number, RegExp])[] = [
      ['{', {}, 400, /JSON/],
      ['{"request":"keepalive","request":"log"}', {}, 400, /^"request" is given twice$/],
      ['{"request":"pause"}', {}, 400, /there is no request "pause" for tasks, only reply, step, sleep, log/],
      ['{"request":"log"}', {}, 400, /log\.message/],
      ['{"request":"keepalive","__proto__":{"a":1}}', {}, 400, /keepalive: .*"__proto__"/],
      ['{"request":"keepalive","constructor":1}', {}, 400, /keepalive: .*"constructor"/],
      ['{"request":"reply","text":"hi"}', {}, 500, /this run is over/],
      ['{"request":"keepalive"}', { 'content-type': 'text/plain' }, 415, /application\/json/],
      [JSON.stringify({ request: 'log', message: 'x'.repeat(1_100_000) }), {}, 413, /at most/],
    ]
    for (const [body, headers, status, error] of cases)
      expect(await post(url, token, body, headers)).toEqual([status, { error: expect.stringMatching(error) }])
    expect((await fetch(url)).status).toBe(405)
    expect((await fetch(new URL('/', url), { method: 'POST' })).status).toBe(404)
    await server.stop()
  })

  it('is for this machine: a page that has our address under its own name is refused', async () => {
    const server = new TaskServer()
    const { token, address: url } = await server.open(asked().task)
    const headers = { host: 'evil.example', authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const status = await new Promise((resolve, reject) => {
      const sent = request(url, { method: 'POST', headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      sent.on('error', reject).end('{"request":"keepalive"}')
    })
    expect(status).toBe(403)
    await server.stop()
  })

  it('answers who waits for draining when it is time, or the run is over, and can be stopped meanwhile', async () => {
    const server = new TaskServer()
    const [one, other] = [asked(), asked()]
    const first = await server.open(one.task)
    const second = await server.open(other.task)
    const wait = '{"request":"draining","wait":true}'
    const answers = [post(first.address, first.token, wait), post(second.address, second.token, wait)]
    one.draining.abort()
    expect(await answers[0]).toEqual([200, { answer: { draining: true } }])
    // Behind the other one.
    await post(second.address, second.token, '{"request":"keepalive"}')
    await server.stop()
    expect(await answers[1]).toEqual([200, { answer: { draining: true } }])
  })
})
