import nock from 'nock'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'

export interface SeenRequest {
  /** Method, path and query. */
  readonly line: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export const ADDRESS = 'https://clink.example'

/**
 * Takes the network away for the tests of a file. nock answers what no test expects with a 501 that looks like the service's
 * own, so an unexpected request, or an expected one that was not sent, fails its test here.
 */
export function intercept(): void {
  const unmatched: string[] = []
  const note = (request: Request): void => {
    unmatched.push(`${request.method} ${request.url}`)
  }
  // Loading it has activated it, for this process.
  beforeAll(() => {
    if (!nock.isActive()) nock.activate()
  })
  afterAll(() => nock.restore())
  beforeEach(() => {
    unmatched.length = 0
    nock.disableNetConnect()
    nock.emitter.on('no match', note)
  })
  afterEach(() => {
    nock.emitter.off('no match', note)
    const unused = nock.pendingMocks()
    nock.cleanAll()
    nock.enableNetConnect()
    expect({ unmatched, unused }).toEqual({ unmatched: [], unused: [] })
  })
}

/** Answers the next request with this method under `address`, and notes it. */
export function answerNext(method: string, answer: unknown, status = 200, address = ADDRESS): SeenRequest[] {
  const seen: SeenRequest[] = []
  const { origin } = new URL(address)
  nock(origin)
    .intercept(() => true, method)
    .reply(async (request: Request) => {
      const line = `${request.method} ${request.url.slice(origin.length)}`
      seen.push({ line, headers: Object.fromEntries(request.headers), body: await request.text() })
      return [status, JSON.stringify(answer), { 'content-type': 'application/json' }]
    })
  return seen
}
