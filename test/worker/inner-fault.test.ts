import { describe, expect, it } from 'vitest'
import type { Transport } from '../../src/clink/transport.ts'
import { Bench, obey, until } from '../support/harness.ts'
import { stillClaimed } from '../support/record.ts'

const breaks =
  (when: (path: string) => boolean) =>
  (inner: Transport): Transport => ({
    send: async (request) => {
      if (when(request.path)) throw new TypeError('a mistake in the program')
      return await inner.send(request)
    },
  })

describe.concurrent('P9: a fault of the program itself', () => {
  it('in the poll loop is said, what is held is released, and the process ends with 70', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    let isBroken = false
    const station = bench.work(async (_, ctx) => await obey(ctx), {
      wrap: breaks((path) => isBroken && path.startsWith('/inbox')),
    })
    await until(() => station.runs.length === 1, 'the handler starts')
    isBroken = true

    expect(await station.ended()).toBe(70)
    expect((await station.seen('worker.failed')).error.message).toContain('a mistake in the program')
    expect(bench.status(id)).toBe('pending')
  })

  it('in a renewal is said, what is held is released, and the process ends with 70', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    const ids = bench.sendMany(2)
    const station = bench.work(async (_, ctx) => await obey(ctx), { wrap: breaks((path) => path.endsWith('/claim')) })

    expect(await station.ended()).toBe(70)
    expect(station.all('worker.failed').length).toBeGreaterThan(0)
    for (const id of ids) expect(bench.status(id)).toBe('pending')
  })

  it('in a settlement is said, and the process ends with 70', async () => {
    await using bench = await Bench.open({ switches: { defaultTimeout: 2 } })
    bench.send('done')
    const other = bench.send('runs')
    const station = bench.work(async ({ content }, ctx) => (content === 'done' ? 'done' : await obey(ctx)), {
      wrap: breaks((path) => path.endsWith('/complete')),
    })

    expect(await station.ended()).toBe(70)
    expect(station.all('worker.failed').length).toBeGreaterThan(0)
    expect(bench.status(other)).toBe('pending')
  })

  it('in the routes is said, what is held is released, and the process ends with 70', async () => {
    await using bench = await Bench.open()
    bench.send('fine')
    const station = bench.work(async (_, ctx) => await obey(ctx), {
      route: ({ content }) => {
        if (content === 'strange') throw new TypeError('a mistake in the program')
      },
    })
    await until(() => station.runs.length === 1, 'the handler starts')
    bench.send('strange')

    expect(await station.ended()).toBe(70)
    expect(station.all('worker.failed').length).toBeGreaterThan(0)
    expect(stillClaimed(bench.emulator)).toEqual([])
  })

  it('outside the worker ends it the same way', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    const station = bench.work(async (_, ctx) => await obey(ctx))
    await until(() => station.runs.length === 1, 'the handler starts')
    station.daemon.fail('process', new Error('uncaught'))

    expect(await station.ended()).toBe(70)
    expect(bench.status(id)).toBe('pending')
  })
})
