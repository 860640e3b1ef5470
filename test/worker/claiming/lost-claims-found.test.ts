import { describe, expect, it } from 'vitest'
import { TransportError, type Transport, type TransportRequest } from '../../../src/clink/transport.ts'
import { Chance } from '../../simulation/chance.ts'
import { story, times } from '../../support/record.ts'
import { answer, VirtualBench } from '../../support/virtual.ts'

const poll = { interval: 50, maxInterval: 200 }
const alone = { exclusive: true } as const

const isPoll = ({ path }: TransportRequest): boolean => path.includes('claim=true')
const lose = (): never => {
  throw new TransportError('reset', 'maybe', 'lost')
}

/** The first claiming poll that brings the clink is not answered. */
function losing(id: () => string | undefined): (inner: Transport) => Transport {
  let isLost = false
  return (inner) => ({
    send: async (request) => {
      const answered = await inner.send(request)
      const wanted = id()
      if (isLost || wanted === undefined || !isPoll(request) || !answered.body.includes(wanted)) return answered
      isLost = true
      return lose()
    },
  })
}

describe('P7, §3: what a lost poll has claimed is found', () => {
  it('also where it was claimed in the same second as the newest clink, by the times of the service', async () => {
    let lost: string | undefined
    const bench = new VirtualBench({
      switches: { claimTimes: 'seconds' },
      settings: { poll, claim: alone },
      spoil: losing(() => lost),
      handle: () => Promise.resolve('done'),
    })
    bench.send('an earlier one')
    await bench.pass(1_200)
    const newest = bench.send('newest')
    await bench.pass(300)
    lost = bench.send('lost')
    await bench.pass(3_000)

    expect(bench.all('poll.lost')).toHaveLength(1)
    const [claimed, after] = [newest, lost].map((id) =>
      bench.emulator.history(id).find(({ what }) => what === 'claimed'),
    )
    expect(Math.floor((after?.at ?? 0) / 1_000)).toBe(Math.floor((claimed?.at ?? 1) / 1_000))
    expect(bench.all('clink.takenUp').map(({ clink }) => clink.clink_id)).toEqual([lost])
    expect(story(bench.emulator, lost)).toEqual(['created', 'claimed', 'completed'])
    await bench.stop()
  })

  it('also where a claim by id is made and answered between the poll’s claim and its loss', async () => {
    const first = Promise.withResolvers<undefined>()
    const second = Promise.withResolvers<undefined>()
    let [one, two]: (string | undefined)[] = []
    const bench: VirtualBench = new VirtualBench({
      settings: { poll, claim: alone, concurrency: 2 },
      spoil: (inner) => ({
        send: async (request) => {
          if (request.path.endsWith(`/${one}/claim`)) {
            // From here on there is a slot for another poll, which has something to claim.
            first.resolve(undefined)
            two ??= bench.send('two')
            await second.promise
          }
          const answered = await inner.send(request)
          if (one === undefined || !isPoll(request)) return answered
          if (two !== undefined && answered.body.includes(two)) {
            second.resolve(undefined)
            await new Promise<void>((resolve) => bench.time.at(bench.time.now + 100, resolve))
            return lose()
          }
          return answered.body.includes(one) ? lose() : answered
        },
      }),
      handle: async ({ content }) => {
        if (content === 'keeps a slot') await first.promise
        return 'done'
      },
    })
    bench.send('keeps a slot')
    await bench.pass(500)
    one = bench.send('one')
    await bench.pass(5_000)

    expect(bench.all('poll.lost')).toHaveLength(2)
    expect(bench.all('clink.takenUp').map(({ clink }) => clink.clink_id)).toEqual([one, two])
    for (const id of [one, two ?? '']) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    await bench.stop()
  })

  it('and claimed as soon as that is answered, later than ten seconds too; --once waits for it (§9), other work does not (P6)', async () => {
    let lost: string | undefined
    let isAway = true
    const spoil = losing(() => lost)
    const bench = new VirtualBench({
      settings: { poll, claim: alone, concurrency: 1 },
      once: {},
      weather: ({ path }) => (isAway && path.endsWith(`/${lost}/claim`) ? 'reset' : undefined),
      spoil,
      handle: () => Promise.resolve('done'),
    })
    let exit: number | undefined
    void bench.daemon.ended.then((code) => (exit = code))
    lost = bench.send('lost')
    await bench.pass(2_000)
    const other = bench.send('other')
    await bench.pass(18_000)
    expect(story(bench.emulator, other)).toEqual(['created', 'claimed', 'completed'])
    expect([exit, story(bench.emulator, lost)]).toEqual([undefined, ['created', 'claimed']])
    isAway = false
    await bench.pass(5_000)

    expect(story(bench.emulator, lost)).toEqual(['created', 'claimed', 'completed'])
    expect(exit).toBe(0)
    await bench.stop()
  })

  it('and nobody waits longer than ten seconds, and one more look, where there is nothing to find (§9)', async () => {
    let isLost = false
    const bench = new VirtualBench({
      settings: { poll, claim: alone },
      once: {},
      weather: (request) => {
        if (isLost || !isPoll(request)) return undefined
        isLost = true
        return 'reset'
      },
      handle: () => Promise.resolve('done'),
    })
    let exit: number | undefined
    void bench.daemon.ended.then((code) => (exit = code))
    await bench.pass(9_000)
    expect(exit).toBeUndefined()
    await bench.pass(6_000)
    expect(exit).toBe(0)
    await bench.stop()
  })

  // The faults of the tests with the built command: polls, claims by id, and completions, each every so often.
  it.for([1, 2, 3, 4].flatMap((seed) => [5, 50, 300, 1_500].map((latency) => [seed, latency] as const)))(
    'whatever else fails: --once ends with all of 200 clinks done once (seed %i, up to %i ms each way; P1, P5)',
    async ([seed, latency]) => {
      const chance = new Chance(seed)
      const count = { complete: 0, inbox: 0, claim: 0, lost: 0 }
      const fault = ({ path }: TransportRequest): 'before' | 'after' | 503 | 502 | undefined => {
        if (path.endsWith('/complete')) {
          count.complete += 1
          return count.complete % 7 === 0 ? 'after' : count.complete % 5 === 0 ? 503 : undefined
        }
        if (path.endsWith('/claim')) return (count.claim += 1) % 3 === 0 ? 'before' : undefined
        if (!path.includes('/inbox') || (count.inbox += 1) % 4 !== 0 || count.lost === 25) return undefined
        count.lost += 1
        return 502
      }
      const bench: VirtualBench = new VirtualBench({
        once: {},
        settings: { concurrency: 4, retry: { backoff: 50, maxBackoff: 200 }, poll },
        spoil: (inner) => {
          const travel = async () =>
            await new Promise<void>((resolve) => bench.time.at(bench.time.now + chance.next() * latency, resolve))
          return {
            send: async (request) => {
              await travel()
              const happens = fault(request)
              const answered = happens === 'before' || happens === 503 ? undefined : await inner.send(request)
              await travel()
              if (happens === 'before' || happens === 'after') return lose()
              return typeof happens === 'number' || answered === undefined ? answer(happens ?? 503) : answered
            },
          }
        },
        handle: ({ content }, { attempt }) => {
          const n = Number(content.split(' ')[1])
          if ([3, 7, 11].includes(n % 20) && attempt === 1) return Promise.reject(new Error('once'))
          return Promise.resolve(`did ${n}`)
        },
      })
      const ids = Array.from({ length: 200 }, (_, n) => bench.send(`task ${n}`))
      const end: { exit?: number } = {}
      void bench.daemon.ended.then((code) => (end.exit = code))
      for (let minute = 0; minute < 30 && end.exit === undefined; minute += 1) await bench.pass(60_000)

      expect(ids.filter((id) => times(bench.emulator, id, 'completed') !== 1)).toEqual([])
      expect(end.exit).toBe(0)
      expect(count.lost).toBeGreaterThan(10)
      await bench.stop()
    },
  )
})
