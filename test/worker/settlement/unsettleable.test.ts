import { describe, expect, it } from 'vitest'
import { answer, HOUR, MINUTE, VirtualBench, type VirtualOptions } from '../../support/virtual.ts'

const isCompletion = ({ path }: { readonly path: string }): boolean => path.endsWith('/complete')

/** A worker whose service answers completions of the clink with this, while `isBroken`, and renews its claim all the time. */
function refused(
  status: number,
  handle: VirtualOptions['handle'],
): { bench: VirtualBench; id: string; mend: () => void } {
  let isBroken = true
  const bench = new VirtualBench({
    handle,
    weather: (request) => (isBroken && isCompletion(request) && request.path.includes(id) ? answer(status) : undefined),
    settings: { concurrency: 1, retry: { attempts: 1, onExhausted: 'complete' } },
  })
  const id = bench.send('work')
  return { bench, id, mend: () => void (isBroken = false) }
}

describe('a result that the service does not take while it renews the claim', () => {
  it('(500) is given up after as long as two leases, and its slot works for others (P12, §5)', async () => {
    const { bench, id } = refused(500, async () => 'the result')
    await bench.pass(8 * MINUTE)
    expect(bench.all('clink.deadLettered')).toEqual([])
    await bench.pass(5 * MINUTE)
    const [dead] = bench.all('clink.deadLettered')
    expect(dead?.reason).toContain('unsettleable')
    expect(bench.emulator.history(id).map(({ what }) => what)).toContain('released')

    const other = bench.send('other')
    await bench.pass(MINUTE)
    expect(bench.emulator.clink(other)?.status).toBe('completed')
    await bench.stop()
  })

  it('(500) is no result of its own where a failure is told: that is given up as well (P12, §5)', async () => {
    const { bench, id } = refused(500, async () => {
      throw new Error('broken')
    })
    await bench.pass(15 * MINUTE)
    expect(bench.all('clink.deadLettered').map(({ reason }) => reason)).toEqual([
      'broken',
      expect.stringContaining('unsettleable'),
    ])
    expect(bench.emulator.history(id).map(({ what }) => what)).toContain('released')
    await bench.stop()
  })

  it('(503) is sent as often as it takes while a claim stands that a poll has made for longer than is asked for (P5, §5)', async () => {
    const bench = new VirtualBench({
      handle: async () => 'the result',
      weather: (request, now) => (request.path.includes('/clinks/') && now < MINUTE ? answer(503) : undefined),
      settings: { claim: { timeout: 6_000 }, retry: { attempts: 1 } },
      switches: { defaultTimeout: 300 },
    })
    const id = bench.send('work')
    await bench.pass(2 * MINUTE)
    expect(bench.all('clink.deadLettered')).toEqual([])
    expect(bench.emulator.clink(id)?.status).toBe('completed')
    await bench.stop()
  })

  it.each([
    ['while the claim is renewed', isCompletion],
    ['and claims run out meanwhile', ({ path }: { readonly path: string }) => path.includes('/clinks/')],
  ] as const)(
    '(503, %s) for less than two minutes is no dead letter where claims are short (P5, §5)',
    async (_, hits) => {
      let first: number | undefined
      const bench = new VirtualBench({
        handle: async () => 'the result',
        weather: (request, now) => {
          if (!hits(request)) return undefined
          first ??= now
          return now - first < 110_000 ? answer(503) : undefined
        },
        settings: { claim: { timeout: 6_000 }, retry: { attempts: 1 } },
        switches: { defaultTimeout: 6 },
      })
      const id = bench.send('work')
      await bench.pass(4 * MINUTE)
      expect(bench.all('clink.settlementFailed').length).toBeGreaterThan(10)
      expect(bench.all('clink.deadLettered')).toEqual([])
      expect(bench.all('clink.started')).toHaveLength(1)
      expect(bench.emulator.clink(id)?.status).toBe('completed')
      await bench.stop()
    },
  )

  it('(503) is given up in the end where claims are short and run out meanwhile (P12, §5)', async () => {
    const bench = new VirtualBench({
      handle: async () => 'the result',
      weather: ({ path }) => (path.includes('/clinks/') ? answer(503) : undefined),
      settings: { claim: { timeout: 6_000 }, retry: { attempts: 1 } },
      switches: { defaultTimeout: 6 },
    })
    bench.send('work')
    await bench.pass(6 * MINUTE)
    expect(bench.all('clink.deadLettered').map(({ reason }) => reason)).toEqual([
      expect.stringContaining('unsettleable'),
    ])
    await bench.stop()
  })

  it('(503) is given up where each claim ends sooner than is believed, and a look shows it (P12, §5)', async () => {
    const bench = new VirtualBench({
      handle: async () => 'the result',
      weather: (request) => (isCompletion(request) ? answer(503) : undefined),
      settings: { claim: { timeout: 240_000, trustRenewals: true }, retry: { attempts: 1 } },
      switches: { claimTimes: 'absent', defaultTimeout: 31, reclaim: 'ignore' },
    })
    bench.send('work')
    await bench.pass(15 * MINUTE)
    expect(bench.all('clink.lost').map(({ cause }) => cause)).toContain('pending-again')
    expect(bench.all('clink.deadLettered').map(({ reason }) => reason)).toEqual([
      expect.stringContaining('unsettleable'),
    ])
    await bench.stop()
  })

  it('(503) is given up as well where it is what a sender is to be told of a failure: its letter stays (P12, §5)', async () => {
    const bench = new VirtualBench({
      handle: async () => {
        throw new Error('no luck')
      },
      weather: ({ path }) => (path.includes('/clinks/') ? answer(503) : undefined),
      settings: { claim: { timeout: 6_000 }, retry: { attempts: 1, onExhausted: 'complete' } },
      switches: { defaultTimeout: 6 },
    })
    const id = bench.send('work')
    await bench.pass(6 * MINUTE)
    expect(bench.all('clink.deadLettered').map(({ reason }) => reason)).toEqual([
      'no luck',
      expect.stringContaining('unsettleable'),
    ])
    expect(bench.ledger.letters.get(id)).toMatchObject({
      attempts: 1,
      errors: ['no luck', expect.stringContaining('unsettleable')],
    })
    const tries = bench.all('clink.settlementFailed').length
    await bench.pass(10 * MINUTE)
    expect(bench.all('clink.settlementFailed').length).toBe(tries)
    await bench.stop()
  })

  it('(503) is given up where claims are short and its clink comes back minutes apart only (P12, §5)', async () => {
    let claims = 0
    const bench: VirtualBench = new VirtualBench({
      handle: async () => 'the result',
      weather: ({ path }, now) => {
        if (path.includes('/clinks/')) return answer(503)
        // After each claim nothing is shown for five minutes.
        if (!path.includes('claim=true')) return undefined
        if (now >= claims * 5 * MINUTE && path.includes('claim=true')) {
          claims += 1
          return undefined
        }
        return { status: 200, headers: {}, body: '{"success":true,"data":{"clinks":[],"count":0,"claimed_count":0}}' }
      },
      settings: { claim: { timeout: 6_000 }, retry: { attempts: 1 } },
      switches: { defaultTimeout: 6 },
    })
    bench.send('work')
    await bench.pass(20 * MINUTE)
    expect(bench.all('clink.deadLettered')).toHaveLength(1)
    await bench.stop()
  })

  it('(503, now and then) is sent as long as it takes (P5, §5)', async () => {
    let count = 0
    const bench = new VirtualBench({
      handle: async () => 'the result',
      weather: (request, now) => {
        if (!isCompletion(request) || now > HOUR) return undefined
        count += 1
        return count % 3 === 0 ? 'reset' : answer(503)
      },
    })
    const id = bench.send('work')
    await bench.pass(HOUR + MINUTE)
    expect(bench.all('clink.deadLettered')).toEqual([])
    expect(bench.emulator.clink(id)?.status).toBe('completed')
    await bench.stop()
  })

  it('(500) that was taken all the same is known for our own, however long it had failed before (P5, §5)', async () => {
    let first: number | undefined
    let isTaken = false
    const bench: VirtualBench = new VirtualBench({
      handle: async () => 'the result',
      weather: (request, now) => {
        if (!isCompletion(request) || isTaken) return undefined
        first ??= now
        isTaken = now - first >= 5 * MINUTE
        if (isTaken) void bench.emulator.handle(request)
        return answer(500)
      },
    })
    bench.send('work')
    await bench.pass(10 * MINUTE)

    expect(isTaken).toBe(true)
    expect(bench.all('clink.settledElsewhere')).toEqual([])
    expect(bench.all('clink.completed').map(({ response }) => response)).toEqual(['the result'])
    await bench.stop()
  })

  it.each([500, 422])('(%i) is not thrown away: a retry sends it and computes nothing (P5, §5)', async (status) => {
    const { bench, id, mend } = refused(status, async () => 'the result')
    await bench.pass(20 * MINUTE)
    expect(bench.all('clink.deadLettered')).toHaveLength(1)
    mend()
    await bench.ledger.prune(0)
    expect(await bench.ledger.letters.retry(id)).toBe('done')
    bench.daemon.retried(id)
    await bench.pass(10 * MINUTE)

    expect(bench.emulator.clink(id)?.status).toBe('completed')
    expect(bench.all('clink.completed').map(({ response }) => response)).toEqual(['the result'])
    expect(bench.all('clink.started')).toHaveLength(1)
    await bench.stop()
  })
})
