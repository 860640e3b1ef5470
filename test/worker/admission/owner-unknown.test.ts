import { describe, expect, it } from 'vitest'
import { answer, MINUTE, VirtualBench, type VirtualOptions } from '../../support/virtual.ts'

const isClaim = (path: string): boolean => path.endsWith('/claim')
const isClaimingPoll = (path: string): boolean => path.startsWith('/inbox') && path.includes('claim=true')

it('a page that is given back because nothing tells whose it is, is not claimed in a circle (P10, §8)', async () => {
  let isAway = true
  const bench = new VirtualBench({
    handle: async () => 'done',
    switches: { pollRecords: 'snapshot' },
    weather: ({ path }) => (isAway && isClaim(path) ? answer(503) : undefined),
    settings: { clink: { identity: 'ap_worker' } },
  })
  const ids = ['one', 'two'].map((text) => bench.send(text))
  await bench.pass(MINUTE)
  expect(bench.all('clink.parked').map(({ why }) => why)).toContain('owner-unknown')
  expect(bench.all('clink.started')).toEqual([])
  expect(bench.sent.filter(({ path }) => isClaimingPoll(path)).length).toBeLessThan(120)

  isAway = false
  await bench.pass(MINUTE)
  expect(ids.map((id) => bench.emulator.clink(id)?.status)).toEqual(['completed', 'completed'])
  await bench.stop()
})

it('P10, P15, §8: what is claimed by id is given back and backs off while no list answers whose it is', async () => {
  let isAway = true
  const bench = new VirtualBench({
    handle: async () => 'done',
    weather: ({ path }) => (isAway && path.includes('/clinks?') ? answer(503) : undefined),
    settings: { clink: { identity: 'ap_worker' }, inbox: { claim: 'select' }, claim: { exclusive: true } },
    spoil: (inner) => ({
      send: async (request) => {
        const told = await inner.send(request)
        return isClaim(request.path) ? { ...told, body: told.body.replaceAll(/"claimed_by":"[^"]*",?/g, '') } : told
      },
    }),
  })
  const ids = ['one', 'two'].map((text) => bench.send(text))
  await bench.pass(MINUTE)
  expect([bench.all('clink.started'), bench.all('clink.leftToExpire')]).toEqual([[], []])
  expect(bench.all('clink.claimFailed').map(({ error }) => error.message)).toContainEqual(
    expect.stringContaining('nobody answered whose the claim is'),
  )
  expect(bench.daemon.readiness().reasons.join(' ')).toContain('may be another owner’s')
  expect(bench.sent.filter(({ path }) => isClaim(path)).length).toBeLessThan(20)
  expect(ids.map((id) => bench.emulator.clink(id)?.status)).toEqual(['pending', 'pending'])

  isAway = false
  await bench.pass(2 * MINUTE)
  expect(ids.map((id) => bench.emulator.clink(id)?.status)).toEqual(['completed', 'completed'])
  expect(bench.daemon.readiness().reasons).toEqual([])
  await bench.stop()
})

describe('whom a list shows as the owner of a claim that somebody has taken over meanwhile (P1, §8)', () => {
  /** Somebody takes the first clink in the web page before its list is answered. */
  function takenOver(options: Omit<VirtualOptions, 'handle' | 'weather'>): VirtualBench {
    let isTaken = false
    const bench: VirtualBench = new VirtualBench({
      ...options,
      handle: async () => 'done',
      weather: ({ path }) => {
        const isAboutOne = !isTaken && path.includes('/clinks?') && path.includes('since')
        const [first] = bench.emulator.clinks().filter(({ status }) => status === 'claimed')
        if (!isAboutOne || first === undefined) return undefined
        isTaken = true
        const at = bench.emulator.now()
        const claim = { by: 'user_alice', key: 'web', session: 'web', at, expires: at + 60 * MINUTE }
        bench.emulator.changeClink(first.clink_id, { claim })
        return undefined
      },
    })
    return bench
  }

  it.for([
    ['a poll', { switches: { pollRecords: 'snapshot', reclaim: 'refuse' }, settings: {} }],
    [
      'a claim by id',
      {
        settings: { inbox: { claim: 'select' }, claim: { exclusive: true } },
        spoil: (inner) => ({
          send: async (request) => {
            const told = await inner.send(request)
            return isClaim(request.path) ? { ...told, body: told.body.replaceAll(/"claimed_by":"[^"]*",?/g, '') } : told
          },
        }),
      },
    ],
  ] as const satisfies readonly (readonly [string, Omit<VirtualOptions, 'handle'>])[])(
    'does not pass for the owner of the key: %s',
    async ([, { settings, ...options }]) => {
      const bench = takenOver({ ...options, settings: { ...settings, clink: { identity: 'ap_worker' } } })
      const ids = ['one', 'two'].map((text) => bench.send(text))
      await bench.pass(MINUTE)
      const theirs = ids.filter((id) => bench.emulator.clink(id)?.claim?.by === 'user_alice')
      const claimed = new Set(bench.all('clink.claimed').map(({ clink }) => clink.clink_id))

      expect(bench.all('key.refused')).toEqual([])
      expect(theirs).toHaveLength(1)
      expect([...claimed, ...theirs].toSorted()).toEqual(ids.toSorted())
      await bench.stop()
    },
  )

  it('keeps the worker from running anything while lists show nobody for what it claims next, and not in a circle (P10, P15)', async () => {
    const bench = takenOver({
      switches: { pollRecords: 'snapshot', reclaim: 'refuse' },
      settings: { clink: { identity: 'ap_worker' } },
      spoil: (inner) => ({
        send: async (request) => {
          const told = await inner.send(request)
          return { ...told, body: told.body.replaceAll('"claimed_by":"ap_worker",', '') }
        },
      }),
    })
    for (const text of ['one', 'two']) bench.send(text)
    await bench.pass(MINUTE)

    expect(bench.all('clink.started')).toEqual([])
    expect(bench.daemon.readiness().reasons.join(' ')).toContain('may be another owner’s')
    expect(bench.sent.filter(({ path }) => isClaimingPoll(path)).length).toBeLessThan(60)
    await bench.stop()
  })
})
