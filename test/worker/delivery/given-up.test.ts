import { describe, expect, it } from 'vitest'
import { Bench, until } from '../../support/harness.ts'
import { answers, claimingPolls, story, times } from '../../support/record.ts'

const fail = (): never => {
  throw new Error('secret detail: password hunter2')
}

describe.concurrent('P10, §4: a clink that fails', () => {
  it('is held and tried again as often as it may, then given up and released', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(fail, { settings: { retry: { attempts: 3 } } })
    const dead = await station.seen('clink.deadLettered', id)
    await until(() => times(bench.emulator, id, 'released') > 0, 'it is released')

    expect(dead.attempts).toBe(3)
    expect(station.runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    expect(story(bench.emulator, id).slice(0, 3)).toEqual(['created', 'claimed', 'released'])
    expect(answers(bench.emulator)).toEqual([])
  })

  it('once and works the second time is completed with one claim', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(() => (station.runs.length === 1 ? fail() : 'done'))
    await bench.completed(id)

    expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(station.runs.map(({ attempt }) => attempt)).toEqual([1, 2])
  })

  it('gives up its slot while it is held', async () => {
    await using bench = await Bench.open()
    const id = bench.send('fails')
    const station = bench.work(({ content }) => (content === 'fails' ? fail() : 'done'), {
      settings: { concurrency: 1, retry: { attempts: 2, backoff: 30_000, maxBackoff: 30_000 } },
    })
    await station.seen('clink.held', id)
    await bench.completed(bench.sendMany(5))

    expect(bench.status(id)).toBe('claimed')
    expect(station.runsOf(id)).toHaveLength(1)
  })

  it('by attempts: 1 is completed when it works and released when it fails', async () => {
    await using bench = await Bench.open()
    const good = bench.send('good')
    const bad = bench.send('bad')
    const station = bench.work(({ content }) => (content === 'bad' ? fail() : 'done'), {
      settings: { retry: { attempts: 1 } },
    })
    await bench.completed(good)
    await until(() => times(bench.emulator, bad, 'released') > 0, 'it is released')

    expect(station.runs).toHaveLength(2)
  })
})

describe.concurrent('P10, §5: a clink that was given up', () => {
  it('is not run again although it comes back, and is not claimed in a circle', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 1 } })
    const id = bench.send('work')
    const station = bench.work(({ content }) => (content === 'work' ? fail() : 'done'), {
      settings: { retry: { attempts: 2 } },
    })
    await until(() => times(bench.emulator, id, 'claimed') >= 4, 'it came back three times')
    const later = bench.send('later')
    await bench.completed(later)

    expect(station.runsOf(id)).toHaveLength(2)
    const claims = bench.emulator.history(id).filter(({ what }) => what === 'claimed')
    for (const [n, claim] of claims.slice(2).entries()) {
      expect(claim.at - (claims[n + 1]?.at ?? 0)).toBeGreaterThan(900)
    }
    expect(times(bench.emulator, id, 'renewed')).toBeLessThan(3)
  })

  it('keeps no slot from others, however many there are', async () => {
    await using bench = await Bench.open()
    const bad = Array.from({ length: 9 }, (_, n) => bench.send(`bad ${n}`))
    const station = bench.work(({ content }) => (content.startsWith('bad') ? fail() : 'done'), {
      settings: { concurrency: 2, retry: { attempts: 1 }, inbox: { claim: 'batch' } },
    })
    for (const id of bad) await station.seen('clink.parked', id)
    await bench.completed(bench.sendMany(10))

    for (const id of bad) expect(station.runsOf(id)).toHaveLength(1)
  })

  it('is completed with a response that carries no error text where onExhausted says so', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(fail, { settings: { retry: { attempts: 1, onExhausted: 'complete' } } })
    await bench.completed(id)

    const [sent] = answers(bench.emulator)
    expect(sent?.content).toContain(id)
    expect(sent?.content).not.toContain('hunter2')
    expect(station.all('clink.deadLettered', id)).toHaveLength(1)
  })

  it('tells the sender the reason of a reject where onExhausted says so', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    bench.work((_, ctx) => ctx.reject('no such target'), { settings: { retry: { onExhausted: 'complete' } } })
    await bench.completed(id)

    expect(answers(bench.emulator)[0]?.content).toContain('no such target')
  })

  it('does not make the worker poll without a pause', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(5)
    const station = bench.work(fail, {
      settings: { retry: { attempts: 1 }, poll: { interval: 200, maxInterval: 1_000 } },
    })
    for (const id of ids) await station.seen('clink.parked', id)
    const before = claimingPolls(bench.emulator).length
    const start = performance.now()
    await until(() => performance.now() - start > 2_000, 'two seconds')

    expect(claimingPolls(bench.emulator).length - before).toBeLessThan(12)
  })
})
