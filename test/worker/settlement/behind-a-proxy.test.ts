import { describe, expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

const HTML = '<html><h1>Not here</h1></html>'
const BARE = '{"detail":"not here"}'

interface Proxy {
  readonly status: number
  readonly body: string
  readonly timeout: number
  /** Whether it passes the request on before it answers with a page. */
  readonly passesOn: boolean
}

/** A worker whose completions something in front of the service answers instead of it. */
function behind({ body, passesOn, status, timeout }: Proxy): { bench: VirtualBench; id: string } {
  const bench: VirtualBench = new VirtualBench({
    handle: async () => 'the result',
    settings: { claim: { timeout }, retry: { attempts: 1 } },
    switches: { defaultTimeout: timeout / 1_000 },
    weather: (request) => {
      if (!request.path.endsWith('/complete')) return undefined
      if (passesOn) void bench.emulator.handle(request)
      return { status, headers: {}, body }
    },
  })
  return { bench, id: bench.send('work') }
}

describe('a proxy that answers completions with its own pages', () => {
  const pages = [400, 403, 404, 409, 413, 422, 500, 502].flatMap((status) =>
    [HTML, BARE].flatMap((body) => [6_000, 5 * MINUTE].map((timeout) => ({ status, body, timeout }))),
  )

  it.each(pages)(
    'and passes them on makes no letter of what was done: $status $body, $timeout ms (P5, §5)',
    async (page) => {
      const { bench, id } = behind({ ...page, passesOn: true })
      await bench.pass(15 * MINUTE)

      expect(bench.emulator.clink(id)?.status).toBe('completed')
      expect(bench.all('clink.deadLettered')).toEqual([])
      expect(bench.all('clink.settledElsewhere')).toEqual([])
      expect(bench.all('clink.lost')).toEqual([])
      expect(bench.all('clink.completed').map(({ response }) => response)).toEqual(['the result'])
      expect(bench.all('clink.started')).toHaveLength(1)
      await bench.stop()
    },
  )

  it.each([400, 413, 502])('and lets none through has the result given up in the end: %i (P12, §5)', async (status) => {
    const { bench, id } = behind({ status, body: BARE, timeout: 6_000, passesOn: false })
    await bench.pass(15 * MINUTE)

    expect(bench.all('clink.completed')).toEqual([])
    expect(bench.all('clink.deadLettered').map(({ reason }) => reason)).toEqual([
      expect.stringContaining('unsettleable'),
    ])
    expect(bench.emulator.clink(id)?.status).not.toBe('completed')
    await bench.stop()
  })
})
