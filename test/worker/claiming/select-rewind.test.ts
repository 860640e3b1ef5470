import { expect, it } from 'vitest'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

const SECOND = 1_000

it('§3: a full sweep that lists anew what was listed too long ago goes on behind a moment that fills a page', async () => {
  const bench = new VirtualBench({
    switches: { maxLimit: 'cap:20' },
    settings: {
      concurrency: 1,
      inbox: { claim: 'select', for: 'me' },
      claim: { exclusive: true, timeout: 20 * SECOND },
    },
    handle: async (_, { signal }) => await bench.take(2 * SECOND, signal),
  })
  const sendOurs = (): string => bench.emulator.send('ops', 'ours', { from: 'bob', for: 'worker' }).clink_id
  const sendOthers = (count: number): void => Array.from({ length: count }).forEach(() => bench.send('for nobody'))
  const ours = [sendOurs()]
  await bench.pass(1)
  sendOthers(19)
  ours.push(sendOurs())
  sendOthers(10)
  await bench.pass(1)
  ours.push(sendOurs())
  await bench.pass(MINUTE)

  expect(ours.map((id) => bench.emulator.clink(id)?.status)).toEqual(['completed', 'completed', 'completed'])
  await bench.stop()
})

it('§3: a full sweep comes in its time however much waits, so what came back is run before what was sent after it', async () => {
  let released: string | undefined
  const runs: string[] = []
  const bench = new VirtualBench({
    settings: {
      concurrency: 1,
      inbox: { claim: 'select' },
      claim: { exclusive: true, timeout: MINUTE },
      handlers: { timeout: 10 * MINUTE },
      retry: { cooldown: 1_000 },
      poll: { sweep: 5 * MINUTE },
    },
    handle: async ({ clink_id: id }, ctx) => {
      runs.push(id)
      await bench.take(2 * MINUTE, ctx.signal)
      if (released !== undefined) return 'done'
      released = id
      return ctx.release()
    },
  })
  const older = bench.send('first')
  await bench.pass(1)
  const younger = Array.from({ length: 30 }, () => bench.send('later'))
  await bench.pass(20 * MINUTE)

  expect(released).toBe(older)
  expect(runs.filter((id) => id === older)).toHaveLength(2)
  expect(younger.some((id) => bench.emulator.clink(id)?.status === 'pending')).toBe(true)
  await bench.stop()
})
