import { describe, expect, it } from 'vitest'
import { MINUTE, VirtualBench, type VirtualOptions } from '../../support/virtual.ts'

const SECOND = 1_000

/** A worker that finds the routes of clinks late which say so: `slow 5000`. */
function benchOf(options: Partial<VirtualOptions> = {}): { bench: VirtualBench; ran: string[] } {
  const ran: string[] = []
  const bench = new VirtualBench({
    handle: async ({ content }) => await Promise.resolve(ran.push(content)),
    finding: ({ content }) => (content.startsWith('slow') ? Number(content.slice(5)) : undefined),
    ...options,
  })
  return { bench, ran }
}

const statusOf = (bench: VirtualBench, id: string): string | undefined =>
  bench.emulator.clinks().find(({ clink_id }) => clink_id === id)?.status
const isClaim = (path: string): boolean => path.endsWith('/claim')

describe.each(['batch', 'select'] as const)('a clink whose route is found late (§4, %s)', (claim) => {
  const settings = { inbox: { claim }, claim: { exclusive: true, timeout: MINUTE } } as const

  it('is worked, and keeps nobody behind it waiting for long (P6)', async () => {
    const { bench, ran } = benchOf({ settings })
    bench.send('slow 250')
    for (let n = 0; n < 5; n += 1) bench.send(`plain ${n}`)
    await bench.pass(2 * SECOND)
    expect(ran.toSorted()).toEqual(['plain 0', 'plain 1', 'plain 2', 'plain 3', 'plain 4', 'slow 250'])
    await bench.stop()
  })

  it('whose route could not be found out is tried again, and lost to nobody (P1)', async () => {
    let tries = 0
    const { bench, ran } = benchOf({
      settings: { ...settings, poll: { sweep: 10 * SECOND } },
      finding: () => {
        tries += 1
        if (tries < 3) throw new Error('no thread')
        return 1
      },
    })
    const id = bench.send('work')
    await bench.pass(20 * MINUTE)
    expect(ran).toEqual(['work'])
    expect(statusOf(bench, id)).toBe('completed')
    expect(bench.events).toContainEqual(
      expect.objectContaining({ event: 'clink.leftAlone', why: 'unjudged', detail: 'no thread' }),
    )
    await bench.stop()
  })
})

it('a clink whose route is found late keeps no other from finding out whether claims by id are safe (P6, P12, §1, §4)', async () => {
  const { bench, ran } = benchOf({ settings: { inbox: { claim: 'select' }, claim: { exclusive: false } } })
  const slow = bench.send(`slow ${100 * SECOND}`)
  const plain = ['one', 'two', 'three'].map((content) => bench.send(content))
  await bench.pass(5 * SECOND)
  expect(ran.toSorted()).toEqual(['one', 'three', 'two'])
  await bench.pass(4 * MINUTE)
  expect([slow, ...plain].map((id) => statusOf(bench, id))).toEqual(Array.from({ length: 4 }, () => 'completed'))
  await bench.stop()
})

describe('a claim whose route is being found (§4)', () => {
  const settings = { claim: { timeout: MINUTE }, concurrency: 10 } as const
  const switches = { defaultTimeout: 60 }

  it('is renewed, and its clink is worked on the lease that this has left (P4)', async () => {
    const { bench, ran } = benchOf({ settings, switches })
    const id = bench.send(`slow ${3 * MINUTE}`)
    bench.send('plain')
    await bench.pass(3 * MINUTE - 10 * SECOND)
    expect(ran).toEqual(['plain'])
    expect(bench.sent.filter(({ path }) => isClaim(path)).length).toBeGreaterThan(3)
    await bench.pass(20 * SECOND)
    expect(ran).toEqual(['plain', `slow ${3 * MINUTE}`])
    expect(statusOf(bench, id)).toBe('completed')
    expect(bench.all('clink.lost')).toEqual([])
    await bench.stop()
  })

  it('ends as lost at its deadline, and its clink is not run on it (P2)', async () => {
    const { bench, ran } = benchOf({
      settings,
      switches,
      weather: ({ path }, now) => (isClaim(path) && now < 2 * MINUTE ? 'hang' : undefined),
    })
    bench.send(`slow ${90 * SECOND}`)
    await bench.pass(95 * SECOND)
    expect(bench.all('clink.lost').map(({ cause }) => cause)).toEqual(['expired'])
    expect(ran).toEqual([])
    await bench.pass(5 * MINUTE)
    expect(ran).toEqual([`slow ${90 * SECOND}`])
    await bench.stop()
  })

  it('is given back by a stop, which does not wait for it (P8)', async () => {
    const { bench, ran } = benchOf({ settings })
    const id = bench.send(`slow ${10 * MINUTE}`)
    await bench.pass(5 * SECOND)
    expect(statusOf(bench, id)).toBe('claimed')
    void bench.daemon.stop('the test says so')
    await bench.pass(10 * SECOND)
    expect(bench.all('worker.stopped').map(({ leftBehind }) => leftBehind)).toEqual([[]])
    expect(statusOf(bench, id)).toBe('pending')
    expect(ran).toEqual([])
  })
})
