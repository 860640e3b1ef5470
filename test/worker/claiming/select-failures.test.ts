import { describe, expect, it } from 'vitest'
import { Bench, until } from '../../support/harness.ts'
import { requests } from '../../support/record.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

const exclusive = { exclusive: true, timeout: 60_000 } as const
const select = { inbox: { claim: 'select' }, claim: exclusive } as const

/** Sweeps of the whole inbox. */
function sweeps(bench: Bench): number {
  return requests(bench.emulator, 'check_inbox').filter(({ params }) => params['since'] === undefined).length
}

describe.concurrent('§3: a claim by id that fails concerns its clink only', () => {
  it('costs no sweep, fails no poll, and leaves the worker ready, beside hundreds of clinks that are left alone', async () => {
    await using bench = await Bench.open()
    const now = bench.emulator.now()
    for (let n = 0; n < 250; n += 1) {
      const left = bench.send(`left ${n}`)
      bench.emulator.changeClink(left, { created: now - 600_000 - 10 * n })
    }
    const station = bench.work(() => 'done', {
      settings: select,
      takes: ({ content }) => !content.startsWith('left'),
    })
    await until(() => station.all('poll.succeeded').length > 6, 'everything is listed')
    const before = sweeps(bench)
    const bad = bench.send('bad')
    bench.fault({ path: `/clinks/${bad}/claim` }, { status: 500 })
    await until(() => station.all('clink.claimFailed', bad).length >= 6, 'it has failed again and again')
    await bench.completed(bench.send('good'))

    expect(sweeps(bench)).toBe(before)
    expect(station.all('poll.failed')).toEqual([])
    expect(station.daemon.readiness()).toEqual({ ready: true, reasons: [] })
    const waits = station.all('clink.claimFailed', bad).map(({ wait }) => wait)
    expect(waits[5]).toBeGreaterThan((waits[0] ?? 0) * 8)
  })

  it('is not waited for by --once after five tries, which ends with 0 when the rest is done (§9)', async () => {
    await using bench = await Bench.open()
    const [bad = '', ...ids] = bench.sendMany(4)
    const fault = bench.fault({ path: `/clinks/${bad}/claim` }, { status: 500 })
    const station = bench.work(() => 'done', { once: {}, settings: select })

    expect(await station.ended()).toBe(0)
    for (const id of ids) expect(bench.status(id)).toBe('completed')
    expect(bench.status(bad)).toBe('pending')
    expect(fault.hits).toBeGreaterThanOrEqual(5)
    expect(station.all('poll.failed')).toEqual([])
  })

  it('does not keep the others waiting when it is not answered', async () => {
    await using bench = await Bench.open()
    const bad = bench.send('bad')
    const hung = bench.fault({ path: `/clinks/${bad}/claim` }, { hang: 'before' })
    const station = bench.work(() => 'done', { settings: { ...select, clink: { timeout: 30_000 } } })
    await until(() => hung.hits > 0, 'it is claimed')
    for (let n = 0; n < 5; n += 1) await bench.completed(bench.send(`good ${n}`), 10_000)

    expect(station.all('clink.claimFailed')).toEqual([])
    expect(hung.hits).toBe(1)
  })

  it('keeps its slot for one try, and no slot of the others after that', async () => {
    await using bench = await Bench.open()
    const bad = bench.send('bad')
    bench.fault({ path: `/clinks/${bad}/claim` }, { status: 500 })
    const station = bench.work(() => 'done', { settings: { ...select, concurrency: 1 } })
    await until(() => station.all('clink.claimFailed').length > 1, 'it has failed twice')
    const [good] = bench.sendMany(1)
    await bench.completed(good ?? '', 5_000)

    expect(station.all('poll.failed')).toEqual([])
  })

  it('is forgotten when another has the clink', async () => {
    await using bench = await Bench.open()
    const id = bench.send('work')
    bench.fault({ path: `/clinks/${id}/claim`, times: 2 }, { status: 500 })
    const station = bench.work(() => 'done', { settings: select })
    await until(() => station.all('clink.claimFailed', id).length > 0, 'it has failed')
    const at = bench.emulator.now()
    const claim = { by: 'user_bob', key: 'bob', session: 'web', at, expires: at + 3_600_000 }
    bench.emulator.changeClink(id, { status: 'claimed', claim })
    const claims = (): number => requests(bench.emulator, 'claim_clink').length
    await until(() => claims() > 1, 'it is tried again')
    const polls = station.all('poll.succeeded').length
    const tried = claims()
    await until(() => station.all('poll.succeeded').length > polls + 10, 'some polls')

    expect(claims() - tried).toBeLessThanOrEqual(1)
    expect(station.runs).toEqual([])
  })
})

describe.concurrent('§3: a service that answers lists and fails every claim is away', () => {
  it('which makes the worker not ready until a claim is answered; then all are claimed at once', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(8)
    const fault = bench.fault({ operation: 'claim_clink' }, { status: 503 })
    const station = bench.work(() => 'done', { settings: select })
    await until(() => station.daemon.readiness().reasons.some((reason) => reason.includes('does not answer')), 'said')
    await until(() => station.all('clink.claimFailed').length > 24, 'waits have grown')
    fault.remove()
    await bench.completed(ids, 10_000)

    await until(() => station.daemon.readiness().ready, 'ready again')
  })

  it('which three clinks show; two of them wait no longer when the claim of the third is answered', async () => {
    let isAway = true
    const bench = new VirtualBench({
      settings: select,
      weather: ({ path }) => (isAway && path.endsWith('/claim') ? 'reset' : undefined),
      handle: async () => await Promise.resolve('done'),
    })
    const ids = ['one', 'two', 'three'].map((text) => bench.send(text))
    await bench.pass(10 * MINUTE)
    isAway = false
    await bench.pass(MINUTE)
    await bench.stop()

    expect(ids.map((id) => bench.emulator.clink(id)?.status)).toEqual(Array(3).fill('completed'))
  })

  it('which ends --once with 69 (§9)', async () => {
    await using bench = await Bench.open()
    const ids = bench.sendMany(8)
    bench.fault({ operation: 'claim_clink' }, { status: 503 })
    const station = bench.work(() => 'done', { once: {}, settings: select })

    expect(await station.ended()).toBe(69)
    for (const id of ids) expect(bench.status(id)).toBe('pending')
  })
})

it('§8: a key that is forbidden every claim is said, also where the service does not tell what it may', async () => {
  await using bench = await Bench.open()
  bench.sendMany(5)
  bench.fault({ operation: 'claim_clink' }, { status: 403 })
  bench.fault({ operation: 'get_my_permissions' }, { status: 404 })
  const station = bench.work(() => 'done', { settings: select })
  await station.seen('worker.notReady')
  const once = bench.work(() => 'done', { settings: select, once: {} })

  expect(station.daemon.readiness().ready).toBe(false)
  expect(await once.ended()).toBe(77)
})

describe('§3: what is new', () => {
  it('is found though it becomes visible after clinks that were made later', async () => {
    await using bench = await Bench.open()
    const station = bench.work(() => 'done', { settings: select })
    await bench.completed(bench.send('first'))
    for (const late of [100, 1_000, 3_000]) {
      const id = bench.send(`late by ${late} ms`)
      bench.emulator.changeClink(id, { created: bench.emulator.now() - late })
      await bench.completed(id, 10_000)
    }

    expect(station.runs).toHaveLength(4)
  })

  it('is all that an inbox which stands still is asked for', async () => {
    const bench = new VirtualBench({ settings: select, handle: async (_, ctx) => Promise.resolve(ctx.release()) })
    const id = bench.send('left alone')
    await bench.pass(MINUTE)
    const created = bench.emulator.clink(id)?.created ?? Number.NaN
    const sinces = bench.sent.flatMap(({ path }) => new URLSearchParams(path.split('?')[1]).get('since') ?? [])
    await bench.stop()

    expect(Date.parse(sinces[0] ?? '')).toBeLessThan(created - 4_000)
    expect(Date.parse(sinces.at(-1) ?? '')).toBeGreaterThanOrEqual(created - 2)
  })
})
