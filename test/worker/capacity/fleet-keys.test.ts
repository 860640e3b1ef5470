import { expect, it } from 'vitest'
import { KEY, Member, SECOND, serial } from '../../support/limited-member.ts'

/** How long a clink of another member has the key each time; for how long it stands idle at most, and on average; how often it is asked for in a second. */
const HELD = [
  [50, 60, 40, 40],
  [1_000, 400, 200, 12],
  [5_000, 700, 600, 6],
] as const

it.each(HELD)(
  'a key of the fleet that others have for %i ms each time stands idle for a part of that at most when it is given up',
  async (held, most, average, perSecond) => {
    const member = new Member(serial, { poll: { interval: 50, maxInterval: 50 } })
    member.lasts = 10
    const idle: number[] = []
    for (let round = 0; round < 8; round += 1) {
      expect(await member.takes(KEY, 10 * 60 * SECOND)).toBe(true)
      member.send(`round ${round}`)
      const [asked, from] = [member.shared.asked, member.bench.time.now]
      for (let pass = 0; pass < Math.max(4, (2 * SECOND) / held); pass += 1) {
        await member.bench.pass(held)
        member.shared.again(`test ${KEY}`)
      }
      const seconds = (member.bench.time.now - from) / SECOND
      expect((member.shared.asked - asked) / seconds).toBeLessThan(perSecond)
      await member.bench.pass(held)
      await member.gives(KEY)
      const free = member.bench.time.now
      await member.bench.pass(2 * SECOND)
      expect(member.runs).toHaveLength(round + 1)
      idle.push((member.runs[round]?.at ?? Infinity) - free)
    }
    expect(Math.max(...idle)).toBeLessThan(most)
    expect(idle.reduce((sum, ms) => sum + ms, 0) / idle.length).toBeLessThan(average)
    await member.bench.stop()
  },
)

it('a key of the fleet for which nobody waits any more is given up to those that wait', async () => {
  const member = new Member(serial, { poll: { interval: 50, maxInterval: 50 } })
  expect(await member.takes(KEY)).toBe(true)
  member.send('waits')
  await member.bench.pass(3 * SECOND)
  expect(member.shared.left).toEqual([])
  await member.bench.daemon.worker.pauses.pause({ by: 'alice' }, undefined)
  await member.bench.pass(3 * SECOND)
  expect(member.shared.left).toEqual([`test ${KEY}`])
  await member.bench.daemon.worker.pauses.resume(undefined)
  await member.bench.pass(3 * SECOND)
  await member.bench.stop()
  expect(member.shared.left).toEqual([`test ${KEY}`, `test ${KEY}`])
})
