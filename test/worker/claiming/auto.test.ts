import { describe, expect, it } from 'vitest'
import { Bench, until } from '../../support/harness.ts'
import { isClaimingPoll, requests, times } from '../../support/record.ts'

const claim = { exclusive: true, timeout: 60_000 } as const

/** Of the next looks at the inbox, how many claim. */
async function nextPolls(bench: Bench, count = 4): Promise<number> {
  const polls = () => requests(bench.emulator, 'check_inbox')
  const before = polls().length
  await until(() => polls().length >= before + count, 'some polls')
  return polls().slice(before).filter(isClaimingPoll).length
}

describe.concurrent('§3: auto', () => {
  it('selects while something is cooling, and polls with claiming again when nothing is', async () => {
    await using bench = await Bench.open()
    const id = bench.send('released once')
    const station = bench.work(
      ({ content }, ctx) =>
        content === 'released once' && station.runs.length === 1 ? ctx.release('not now') : undefined,
      { settings: { claim, retry: { cooldown: 1_500 }, poll: { sweep: 200 } } },
    )
    await station.seen('clink.released', id)
    expect(await nextPolls(bench, 3)).toBeLessThanOrEqual(1)
    await bench.completed(id)
    await until(async () => (await nextPolls(bench)) === 4, 'all polls claim')

    expect(station.runsOf(id)).toHaveLength(2)
  })

  it('selects for good once something is given up, and claims it no more (P10)', async () => {
    await using bench = await Bench.open()
    const bad = bench.send('bad')
    const station = bench.work(({ content }, ctx) => (content === 'bad' ? ctx.reject('no') : undefined), {
      settings: { claim },
    })
    await station.seen('clink.released', bad)
    await until(async () => (await nextPolls(bench)) === 0, 'no poll claims')
    const claims = times(bench.emulator, bad, 'claimed')
    await bench.completed(bench.sendMany(5))

    expect(await nextPolls(bench)).toBe(0)
    expect(times(bench.emulator, bad, 'claimed')).toBe(claims)
    expect(station.runsOf(bad)).toHaveLength(1)
  })

  it('selects from the start where not every clink has a route', async () => {
    await using bench = await Bench.open()
    const other = bench.send('other')
    const id = bench.send('ours')
    bench.work(() => 'done', { takes: ({ content }) => content !== 'other', settings: { claim } })
    await bench.completed(id)

    expect(await nextPolls(bench)).toBe(0)
    expect(times(bench.emulator, other, 'claimed')).toBe(0)
  })

  it('batch polls with claiming whatever there is, and selects never', async () => {
    await using bench = await Bench.open()
    bench.send('other')
    const settings = { claim, inbox: { claim: 'batch' } } as const
    const station = bench.work(() => 'done', { takes: ({ content }) => content !== 'other', settings })
    await station.seen('clink.parked')
    await bench.completed(bench.sendMany(3))

    expect(await nextPolls(bench)).toBe(4)
    expect(station.all('worker.siblings')).toEqual([])
  })
})
