import { describe, expect, it } from 'vitest'
import { Alarm, sleep, systemClock } from '../../src/base/clock.ts'
import type { TimeSources } from '../../src/base/uptime.ts'

function machine(): { time: { monotonic: number; boot: number; wall: number }; source: TimeSources } {
  const time = { monotonic: 1_000, boot: 50_000, wall: 1_700_000_000_000 }
  const source = { monotonic: () => time.monotonic, boot: () => time.boot, wall: () => time.wall }
  return { time, source }
}

describe('local time (P2, §2)', () => {
  it('goes on with the monotonic clock', () => {
    const { time, source } = machine()
    const clock = systemClock(source)
    const start = clock.now()
    Object.assign(time, { monotonic: 1_400, boot: 50_400, wall: time.wall + 400 })
    expect(clock.now() - start).toBe(400)
  })

  it('counts suspension, which only the uptime shows', () => {
    const { time, source } = machine()
    const clock = systemClock(source)
    const start = clock.now()
    Object.assign(time, { monotonic: 1_100, boot: 60_100, wall: time.wall + 10_100 })
    expect(clock.now() - start).toBe(10_100)
  })

  it.each([300, 600, 900, 3_600_000, 36_000_000])('counts a suspension of %i ms at the next reading', (ms) => {
    const { time, source } = machine()
    const clock = systemClock(source)
    const start = clock.now()
    Object.assign(time, { monotonic: 1_001, boot: 50_001 + ms, wall: time.wall + 1 + ms })
    expect(clock.now() - start).toBe(1 + ms)
  })

  it('counts a suspension within a second where somebody has set the wall clock back meanwhile', () => {
    const { time, source } = machine()
    const clock = systemClock(source)
    const start = clock.now()
    Object.assign(time, { monotonic: 2_000, boot: 111_000, wall: time.wall + 1_000 })
    expect(clock.now() - start).toBe(61_000)
  })

  it('reads the uptime, which is dear, once a second', () => {
    const { time, source } = machine()
    let read = 0
    const clock = systemClock({ ...source, boot: () => (read += 1) && time.boot })
    for (let ms = 1; ms <= 10_000; ms += 1) {
      Object.assign(time, { monotonic: time.monotonic + 1, boot: time.boot + 1, wall: time.wall + 1 })
      clock.now()
    }
    expect(read).toBe(11)
  })

  it('takes a jump of the wall clock forward for time that has passed, and one backward for nothing', () => {
    const { time, source } = machine()
    const clock = systemClock(source)
    const start = clock.now()
    Object.assign(time, { monotonic: 1_100, boot: 50_100, wall: time.wall + 3_600_100 })
    expect(clock.now() - start).toBe(3_600_100)
    Object.assign(time, { monotonic: 1_200, boot: 50_200, wall: time.wall - 7_200_000 })
    expect(clock.now() - start).toBe(3_600_200)
  })

  it('has a steady reading that no jump of the wall clock shortens, and that counts suspension (§2)', () => {
    const { time, source } = machine()
    const clock = systemClock(source)
    const start = clock.steady?.now() ?? Number.NaN
    Object.assign(time, { monotonic: 1_100, boot: 60_100, wall: time.wall + 3_600_100 })
    expect((clock.steady?.now() ?? Number.NaN) - start).toBe(10_100)
  })

  it('does not mistake a coarse or slewed clock for a jump, however often it is read', () => {
    const { time, source } = machine()
    const clock = systemClock(source)
    const start = clock.now()
    const { boot, wall } = time
    for (let ms = 1; ms <= 5_000; ms += 1) {
      time.monotonic += 1
      time.boot = boot + Math.floor(ms / 10) * 10
      time.wall = wall + ms * 1.0005
      clock.now()
    }
    expect(clock.now() - start).toBe(5_000)
  })

  it('never goes back', () => {
    const { time, source } = machine()
    const clock = systemClock(source)
    Object.assign(time, { boot: 55_000 })
    const later = clock.now()
    Object.assign(time, { boot: 50_000 })
    expect(clock.now()).toBeGreaterThanOrEqual(later)
  })
})

describe('timers of the clock', () => {
  it('that wait are not cut short by a wall clock that is set forward, and those of leases are (§2)', async () => {
    let wall = Date.now()
    const real = systemClock()
    const clock = systemClock({ monotonic: () => real.now(), boot: () => real.now(), wall: () => wall })
    const calls: string[] = []
    const slept = sleep(clock, 60).then(() => calls.push('slept'))
    const ended = new Promise<void>((resolve) => {
      clock.at(clock.now() + 3_600_000, () => {
        calls.push('ended')
        resolve()
      })
    })
    wall += 7_200_000
    clock.now()
    await Promise.all([slept, ended])
    expect(calls).toEqual(['slept', 'ended'])
  })

  it('call when the time has come, and not after they were cancelled', async () => {
    const clock = systemClock()
    const calls: string[] = []
    const cancel = clock.at(clock.now() + 5, () => calls.push('cancelled'))
    cancel()
    await new Promise<void>((resolve) => {
      clock.at(clock.now() + 20, () => {
        calls.push('called')
        resolve()
      })
    })
    expect(calls).toEqual(['called'])
  })

  it('sleep ends early when its signal aborts', async () => {
    const clock = systemClock()
    const stop = new AbortController()
    const slept = sleep(clock, 3_600_000, stop.signal).then(() => 'woken')
    stop.abort()
    await expect(slept).resolves.toBe('woken')
    await expect(sleep(clock, 3_600_000, stop.signal)).resolves.toBeUndefined()
  })
})

describe('an alarm', () => {
  it('ends its wait when it rings, with a time or without, and rings for nobody without harm', async () => {
    const clock = systemClock()
    const alarm = new Alarm(clock)
    alarm.ring()
    for (const time of [undefined, clock.now() + 3_600_000]) {
      const waited = alarm.until(time).then(() => 'woken')
      alarm.ring()
      await expect(waited).resolves.toBe('woken')
    }
  })

  it('ends its wait at its time', async () => {
    const clock = systemClock()
    const from = clock.now()
    await new Alarm(clock).until(from + 10)
    expect(clock.now()).toBeGreaterThanOrEqual(from + 10)
  })
})
