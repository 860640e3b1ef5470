import { mkdtemp, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { HandlerAborted } from '../../src/handlers/handler.ts'
import type { UrlTarget } from '../../src/handlers/route.ts'
import type { Outcome } from '../../src/runners/outcome.ts'
import type { HttpRunner } from '../../src/runners/http.ts'
import { Application, httpRunner, type Posted, type Said } from '../support/application.ts'
import { envelopeOf, noServices } from '../support/task-services.ts'
import { until } from '../support/until.ts'

function begin(runner: HttpRunner, target: UrlTarget) {
  const [abort, draining] = [new AbortController(), new AbortController()]
  const running = runner.start({
    target,
    envelope: envelopeOf({ attempt: 2, deadline: Date.UTC(2026, 0, 5), match: { route: 'ops', text: '', groups: {} } }),
    env: {},
    services: noServices,
    signals: { abort: abort.signal, draining: draining.signal },
  })
  return { abort, ended: running.ended }
}

async function outcomeOf(said: Said, path = '/'): Promise<Outcome> {
  await using application = await Application.open(() => said)
  const runner = httpRunner()
  const outcome = await begin(runner, application.target(path)).ended
  await runner.stop()
  return outcome
}

async function secretFile(text: string): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'clink-worker-secret-')), 'secret')
  await writeFile(file, text)
  return file
}

const failed = (message: unknown, code?: string): object => ({
  outcome: 'failed',
  error: { name: 'ApplicationFailed', message, ...(code && { code }) },
})
const away = (reason: unknown): object => ({ outcome: 'unavailable', reason })

describe.concurrent('§4: what an application answers', () => {
  const html = { 'content-type': 'text/html; charset=utf-8' }
  it.for<[string, Said, object]>([
    ['200', 'did it', { outcome: 'done', response: 'did it' }],
    ['201 without a body', { status: 201 }, { outcome: 'done' }],
    ['release', { headers: { 'Clink-Outcome': ' Release ' } }, { outcome: 'release' }],
    [
      'reject',
      { status: 409, headers: { 'clink-outcome': 'reject' } },
      { outcome: 'reject', reason: 'rejected by the application' },
    ],
    ['retry', { headers: { 'clink-outcome': 'retry' }, text: 'not yet' }, { outcome: 'retry', reason: 'not yet' }],
    ['another outcome', { headers: { 'clink-outcome': 'later' } }, failed(expect.stringContaining('"later"'))],
    ['429', { status: 429, headers: { 'retry-after': '7' } }, { outcome: 'retry', after: 7_000 }],
    ['503', { status: 503, text: 'starting' }, { outcome: 'retry', reason: 'starting' }],
    ['500', { status: 500, text: 'no disk' }, failed('no disk', 'HTTP_500')],
    [
      '500 with a page',
      { status: 500, headers: html, text: '<h1>Oh</h1>' },
      failed('the application answers 500 Internal Server Error', 'HTTP_500'),
    ],
    ['400', { status: 400, text: 'what is that?' }, failed('what is that?', 'HTTP_400')],
  ])('%s', async ([, said, outcome]) => expect(await outcomeOf(said)).toMatchObject(outcome))

  it.for([301, 302, 307, 308, 401, 403, 404, 405, 415, 422])(
    '%i says that the route is not set up, whatever the clink',
    async (status) => {
      const said = { status, headers: { location: 'http://127.0.0.1:1/elsewhere' }, text: 'why' }
      const reason = expect.stringMatching(new RegExp(`^http://127\\.0\\.0\\.1:\\d+/work answers ${status} .*: why`))
      expect(await outcomeOf(said, '/work')).toMatchObject(away(reason))
    },
  )

  it('what is longer than maxResponse is cut, and says so', async () => {
    await using application = await Application.open(() => 'x'.repeat(5_000))
    const runner = httpRunner()
    const outcome = await begin(runner, application.target('/', { maxResponse: 1_024 })).ended
    expect(outcome).toEqual({ outcome: 'done', response: expect.stringMatching(/^x+ \[…, cut: 5000 bytes in all]$/) })
    await runner.stop()
  })
})

describe.concurrent('§4: an application that is not there', () => {
  it('where nothing listens: no clink is at fault', async () => {
    const application = await Application.open(() => '')
    const target = application.target('/')
    await application[Symbol.asyncDispose]()
    expect(await begin(httpRunner(), target).ended).toMatchObject(away(`${target.url}: nothing listens there`))
  })

  it('where no connection comes about in connectTimeout', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const address = silent.address()
    const url = `https://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
    const target = { is: 'url', url, secretFile: undefined, connectTimeout: 200, maxResponse: 1_024 } as const
    expect(await begin(httpRunner(), target).ended).toMatchObject(away(`${url}: no connection after 200ms`))
    silent.close()
  })

  it('where something answers that is no HTTP', async () => {
    const other = createServer((socket) => socket.end('220 mail.example ESMTP\r\n'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const address = other.address()
    const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
    const target = { is: 'url', url, secretFile: undefined, connectTimeout: 5_000, maxResponse: 1_024 } as const
    expect(await begin(httpRunner(), target).ended).toMatchObject(away(expect.stringContaining('is no HTTP')))
    other.close()
  })

  it('that dies while it works has failed: it may have been the clink', async () => {
    await using application = await Application.open(async ({ closed }) => await closed.then((): Said => undefined))
    const { ended } = begin(httpRunner(), application.target('/'))
    await until(() => application.requests.length === 1, 'it works')
    application.cut()
    expect(await ended).toMatchObject(failed('the application closed the connection and did not answer'))
    expect(application.requests).toHaveLength(1)
  })
})

describe.concurrent('§4: connections', () => {
  it('are kept for the next request', async () => {
    await using application = await Application.open(() => 'done')
    const runner = httpRunner()
    for (let n = 0; n < 5; n += 1) await begin(runner, application.target('/')).ended
    expect(application.connections).toBe(1)
    await runner.stop()
  })

  it('that were closed meanwhile cost no attempt: the request is sent once more, under the same key', async () => {
    let isClosing = false
    await using application = await Application.open(() => {
      if (!isClosing) return 'done'
      isClosing = false
      application.cut()
      return undefined
    })
    const runner = httpRunner()
    expect(await begin(runner, application.target('/')).ended).toEqual({ outcome: 'done', response: 'done' })
    isClosing = true
    expect(await begin(runner, application.target('/')).ended).toEqual({ outcome: 'done', response: 'done' })
    expect(application.requests.map(({ headers }) => headers['idempotency-key'])).toEqual(['msg_1', 'msg_1', 'msg_1'])
    await runner.stop()
  })

  it('that end after a while were broken off by the application, which has failed', async () => {
    let isDying = false
    await using application = await Application.open(async () => {
      if (!isDying) return 'done'
      await new Promise((resolve) => setTimeout(resolve, 1_200))
      application.cut()
      return undefined
    })
    const runner = httpRunner()
    expect(await begin(runner, application.target('/')).ended).toEqual({ outcome: 'done', response: 'done' })
    isDying = true
    expect(await begin(runner, application.target('/')).ended).toMatchObject({ outcome: 'failed' })
    expect([application.requests.length, application.connections]).toEqual([2, 1])
    await runner.stop()
  })

  it('are closed by an abort, and the application sees it (P2)', async () => {
    const seen = Promise.withResolvers<string>()
    await using application = await Application.open(async ({ closed }) => {
      await closed
      seen.resolve('closed')
      return undefined
    })
    const runner = httpRunner()
    const { abort, ended } = begin(runner, application.target('/'))
    await until(() => application.requests.length === 1, 'it works')
    abort.abort(new HandlerAborted('lease-lost', 'by the test'))
    expect(await ended).toMatchObject({ outcome: 'failed', error: { name: 'HandlerAborted', message: 'lease-lost' } })
    expect(await seen.promise).toBe('closed')
    await runner.stop()
  })
})

describe.concurrent('§4: a signature', () => {
  const [one, other] = ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD']
  const verify = ({ body, headers }: Posted, secret: string): unknown => {
    const flat = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
    return new Webhook(secret).verify(body, flat)
  }

  it('is what the library of Standard Webhooks verifies, for each secret of the file', async () => {
    await using application = await Application.open(() => 'done')
    const runner = httpRunner()
    const target = application.target('/', { secretFile: await secretFile(`${one}\n${other}\n`) })
    expect(await begin(runner, target).ended).toMatchObject({ outcome: 'done' })
    const [posted] = application.requests
    if (posted === undefined) throw new Error('it was not asked')
    for (const secret of [one, other])
      expect(verify(posted, secret)).toMatchObject({ attempt: 2, idempotencyKey: 'msg_1' })
    expect(() => verify(posted, 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')).toThrow(/signature/i)
    expect(() => verify({ ...posted, body: posted.body.replace('"attempt":2', '"attempt":3') }, one)).toThrow(
      /signature/i,
    )
    await runner.stop()
  })

  it.for([
    ['is not there', undefined],
    ['does not hold secrets of Standard Webhooks', 'hunter2'],
    ['does not hold secrets of Standard Webhooks', ''],
  ])('whose secret %s pauses the route, and shows nothing of it (P13)', async ([why = '', text]) => {
    await using application = await Application.open(() => 'done')
    const file = text === undefined ? join(tmpdir(), 'no-such-secret') : await secretFile(text)
    const outcome = await begin(httpRunner(), application.target('/', { secretFile: file })).ended
    expect(outcome).toMatchObject(away(expect.stringContaining(`${file} ${why}`)))
    expect(JSON.stringify(outcome)).not.toContain('hunter2')
    expect(application.requests).toEqual([])
  })
})
