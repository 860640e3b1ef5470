import { describe, expect, it } from 'vitest'
import type { Clock } from '../../src/base/clock.ts'
import type { Transport } from '../../src/clink/transport.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { Bench, until } from '../support/harness.ts'
import { patientClock } from '../support/patient-time.ts'
import { change, keysThat, seed } from '../support/key-owners.ts'
import { requests, story, times } from '../support/record.ts'

const quick = { poll: { interval: 20, maxInterval: 50 } }
const SPEED = 30

function gate() {
  const opened = Promise.withResolvers<void>()
  return { open: () => opened.resolve(), wait: opened.promise }
}

/** Minutes pass in seconds. Only for workers that hold no claims: the emulator's clock is not this one. */
function fastClock(): Clock {
  const clock = patientClock()
  const start = clock.now()
  return {
    now: () => start + (clock.now() - start) * SPEED,
    wall: () => clock.wall(),
    at: (time, run) => clock.at(start + (time - start) / SPEED, run),
  }
}

describe.concurrent('§8: a key that is suspended while the worker runs', () => {
  it('stops the claiming and makes it not ready; what runs goes on, and ends well when the key works again (P4)', async () => {
    await using bench = await Bench.open({ seed, switches: { defaultTimeout: 4 } })
    const { open, wait } = gate()
    const id = bench.send('work')
    const station = bench.work(async () => (await wait, 'done'), { settings: { ...quick, claim: { timeout: 4_000 } } })
    await station.seen('clink.started', id)
    bench.emulator.suspendKey('worker')
    const { reason } = await station.seen('worker.notReady')
    await station.seen('clink.renewalFailed', id)
    const waiting = bench.send('waits')
    bench.emulator.suspendKey('worker', false)
    await until(() => times(bench.emulator, id, 'renewed') > 0, 'it is renewed again')
    expect(bench.status(waiting)).toBe('pending')
    change(station, bench.emulator, 'worker')
    open()
    await bench.completed([id, waiting])

    expect(reason).toMatch(/suspended/)
    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(station.runsOf(id)[0]?.aborted).toBeUndefined()
    expect(station.all('worker.ready')).toHaveLength(2)
  })

  it('leaves the claims of what runs to their deadlines while it does not work again (P2)', async () => {
    await using bench = await Bench.open({ seed, switches: { defaultTimeout: 2 } })
    const id = bench.send('work')
    const { wait } = gate()
    const station = bench.work(async () => await wait, { settings: { ...quick, claim: { timeout: 2_000 } } })
    await station.seen('clink.started', id)
    bench.emulator.suspendKey('worker')
    const { cause } = await station.seen('clink.lost', id)

    expect(cause).toBe('expired')
    expect(station.runsOf(id)).toMatchObject([{ aborted: { code: 'lease-lost' } }])
    expect(story(bench.emulator, id).slice(0, 2)).toEqual(['created', 'claimed'])
  })

  it('is said once a minute and tried slowly, and each time anew that it happens', { timeout: 40_000 }, async () => {
    await using bench = await Bench.open({ seed })
    const clock = fastClock()
    const said: number[] = []
    const asked: number[] = []
    const wrap = (inner: Transport): Transport => ({
      send: async (request) => {
        if (request.path.startsWith('/inbox')) asked.push(clock.now())
        return await inner.send(request)
      },
    })
    const station = bench.work(() => 'done', { clock, wrap, start: false, settings: { clink: { timeout: 300_000 } } })
    const push = station.events.push.bind(station.events)
    station.events.push = (...events) => {
      if (events.some(({ event }) => event === 'worker.notReady')) said.push(clock.now())
      return push(...events)
    }
    bench.emulator.suspendKey('worker')
    station.daemon.start()
    await until(() => said.length === 4, 'it is said four times')
    expect(requests(bench.emulator, 'check_inbox')).toHaveLength(asked.length)

    const gaps = (all: readonly number[]) => all.slice(1).map((time, n) => time - (all[n] ?? 0))
    expect(Math.min(...gaps(said))).toBeGreaterThanOrEqual(60_000)
    expect(Math.min(...gaps(asked))).toBeGreaterThanOrEqual(10_000)
    expect(asked.length).toBeGreaterThan(4)

    bench.emulator.suspendKey('worker', false)
    await station.seen('worker.ready')
    bench.emulator.suspendKey('worker')
    await until(() => said.length === 5, 'it is said again')
    expect((said[4] ?? 0) - (said[3] ?? 0)).toBeLessThan(60_000)
  })

  it('ends --once with 77, and what could not be settled is named (§9, P8)', async () => {
    await using bench = await Bench.open({ seed })
    const id = bench.send('work')
    const station = bench.work(
      () => {
        bench.emulator.suspendKey('worker')
        return 'done'
      },
      { once: {}, settings: { ...quick, shutdown: { timeout: 800, drain: 400 } } },
    )

    expect(await station.ended()).toBe(77)
    expect(station.all('worker.stopped')).toMatchObject([{ leftBehind: [id] }])
  })
})

describe.concurrent('§8: 403 to one clink', () => {
  const members = { ...seed, keys: [...seed.keys, { name: 'robot-next', owner: 'robot' }] }

  it('concerns that clink only: its result is kept, the others go on and the worker stays ready (P5)', async () => {
    await using bench = await Bench.open({ seed: members, switches: { defaultTimeout: 2 } })
    const { open, wait } = gate()
    const ledger = new Ledger(memoryTables())
    const gone = bench.send('gone')
    const other = bench.emulator.send('support', 'other', { from: 'alice' }).clink_id
    const settings = { ...quick, claim: { timeout: 2_000 } }
    const station = bench.work(async ({ content }) => (await wait, `about ${content}`), {
      key: 'robot',
      ledger,
      settings,
    })
    await station.seen('clink.started', gone)
    await station.seen('clink.started', other)
    bench.emulator.leave('ops', 'robot')
    // Counted here: a second renewal could be as late as the end of the claim that is refused.
    const renewals = times(bench.emulator, other, 'renewed')
    const refused = await station.seen('clink.renewalRefused', gone)
    await until(() => times(bench.emulator, other, 'renewed') > renewals, 'the other is renewed')
    open()
    const { detail } = await station.seen('clink.settledElsewhere', gone)
    await bench.completed(other)

    expect(refused.why).toContain('403')
    expect(detail).toContain('403')
    const record = station.all('clink.settledElsewhere', gone)[0]?.clink
    expect(record === undefined ? undefined : ledger.keptResult(record)?.response).toBe('about gone')
    expect(ledger.letters.all()).toEqual([])
    expect(station.runsOf(gone)).toHaveLength(1)
    expect(station.all('worker.notReady')).toEqual([])
    expect(keysThat(bench.emulator, other, 'completed')).toEqual(['robot'])
  })
})
