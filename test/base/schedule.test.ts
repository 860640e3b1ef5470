import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { Schedule, type Timeline } from '../../src/base/schedule.ts'
import { Chance } from '../simulation/chance.ts'
import { VirtualTime } from '../simulation/virtual-time.ts'

const MANY = 10_000

/** Virtual time, and how many timers are set on it, now and at most, and how many were. */
function world(): {
  readonly time: VirtualTime
  readonly schedule: Schedule
  readonly timers: { set: number; most: number; all: number }
  readonly pass: (ms: number) => Promise<void>
} {
  const time = new VirtualTime(new Chance(1))
  const timers = { set: 0, most: 0, all: 0 }
  const line: Timeline = {
    now: () => time.now,
    at(due, run) {
      timers.set += 1
      timers.all += 1
      timers.most = Math.max(timers.most, timers.set)
      let isSet = true
      const unset = (): void => {
        if (isSet) timers.set -= 1
        isSet = false
      }
      const cancel = time.at(due, () => {
        unset()
        run()
      })
      return () => {
        unset()
        cancel()
      }
    },
  }
  const pass = async (ms: number): Promise<void> => await time.runUntil(time.now + ms, () => false)
  return { time, schedule: new Schedule(line), timers, pass }
}

describe('a schedule', () => {
  it('runs what is due in the order of its time, and of its making, each in a turn of its own', async () => {
    const { schedule, pass } = world()
    const said: string[] = []
    const say = (word: string) => (): void => {
      said.push(word)
      void Promise.resolve().then(() => said.push(`after ${word}`))
    }
    schedule.at(20, say('c'))
    schedule.at(10, say('a'))
    schedule.at(10, say('b'))
    schedule.at(-5, say('overdue'))
    expect(said).toEqual([])
    await pass(30)
    expect(said).toEqual(['overdue', 'after overdue', 'a', 'after a', 'b', 'after b', 'c', 'after c'])
  })

  it('sets no other timer for one that is due, however much is added meanwhile', async () => {
    const { schedule, pass, timers } = world()
    let ran = false
    schedule.at(-5, () => (ran = true))
    for (let n = 0; n < 100; n += 1) schedule.at(1_000 + n, () => {})
    expect(timers.all).toBe(1)
    await pass(1)
    expect(ran).toBe(true)
  })

  it('sets one timer for ten thousand entries, and none once they were cancelled', async () => {
    const { schedule, timers, pass } = world()
    const chance = new Chance(3)
    let runs = 0
    const cancels = Array.from({ length: MANY }, () => schedule.at(1_000 + chance.next() * MANY, () => (runs += 1)))
    await pass(500)
    const before = timers.all
    expect(timers).toMatchObject({ set: 1, most: 1 })
    // As a claim that is renewed: its end moves further away.
    const moved = cancels.map((cancel) => {
      cancel()
      return schedule.at(2 * MANY + chance.next() * MANY, () => (runs += 1))
    })
    await pass(MANY)
    expect(runs).toBe(0)
    expect(timers.all - before).toBeLessThan(10)
    for (const cancel of moved) cancel()
    for (const cancel of moved) cancel()
    expect(timers).toMatchObject({ set: 0, most: 1 })
    await pass(3 * MANY)
    expect(runs).toBe(0)
  })

  it('keeps its order whatever is cancelled and added meanwhile', async () => {
    const { time, schedule, timers, pass } = world()
    const chance = new Chance(4)
    const due = new Map<number, () => void>()
    const wrong: string[] = []
    let next = 0
    let ran = 0
    const add = (): void => {
      const id = (next += 1)
      const at = time.now + Math.floor(chance.next() * 50)
      const run = (): void => {
        ran += 1
        if (time.now !== at) wrong.push(`${id} was due at ${at} and ran at ${time.now}`)
        if (!due.delete(id)) wrong.push(`${id} ran though it was cancelled`)
        if (next < MANY) add()
      }
      due.set(id, schedule.at(at, run))
      const [other] = due.keys()
      if (other === undefined || chance.next() < 0.8) return
      due.get(other)?.()
      due.delete(other)
      if (next < MANY) add()
    }
    for (let count = 0; count < 100; count += 1) add()
    await pass(MANY * 50)
    expect(wrong).toEqual([])
    expect(ran).toBeGreaterThan(MANY / 2)
    expect(due.size).toBe(0)
    expect(timers).toMatchObject({ set: 0, most: 1 })
  })

  it('goes on with the others when one throws', async () => {
    const fired: (() => void)[] = []
    const schedule = new Schedule({
      now: () => 0,
      at: (_, run) => {
        fired.push(run)
        return () => {}
      },
    })
    const said: string[] = []
    schedule.at(1, () => {
      throw new Error('a fault')
    })
    schedule.at(2, () => said.push('the other'))
    expect(() => fired.shift()?.()).toThrow('a fault')
    fired.shift()?.()
    expect(said).toEqual(['the other'])
  })

  it('lets nobody wait for a timer that has not noticed yet that the time has jumped', async () => {
    let jumped = 0
    const clock = systemClock({ monotonic: () => 0, boot: () => 0, wall: () => jumped })
    const said: string[] = []
    clock.at(clock.now() + 5_000, () => said.push('earlier'))
    jumped = 10_000
    await new Promise<void>((run) => clock.at(clock.now(), run))
    expect(said).toEqual(['earlier'])
  })

  it("keeps ten thousand waits on the machine's clock with one timer, and a thousand that are due at once take no second", async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const clock = systemClock()
    const cancels = Array.from({ length: MANY }, (_, index) => clock.at(clock.now() + 60_000 + index, () => {}))
    expect(timers()).toBeLessThan(100)
    const from = clock.now()
    await Promise.all(Array.from({ length: 1_000 }, async () => await new Promise<void>((run) => clock.at(from, run))))
    expect(clock.now() - from).toBeLessThan(1_000)
    for (const cancel of cancels) cancel()
  })
})
