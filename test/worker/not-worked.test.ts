import { describe, expect, it } from 'vitest'
import { HOUR, MINUTE, VirtualBench, type VirtualOptions } from '../support/virtual.ts'

const long: VirtualOptions['handle'] = async (_, { signal }, bench) => await bench.take(HOUR, signal)
const settings = { handlers: { timeout: 2 * HOUR }, claim: { exclusive: true, timeout: 5 * MINUTE } } as const

/** As whoever asks for the status is told. */
async function told(bench: VirtualBench) {
  void bench.daemon.worker.lookAtInbox()
  await bench.pass(2_000)
  return bench.daemon.worker.report().notWorked
}

describe('§6: status says per route and sender why something is not worked', () => {
  it.each([
    ['concurrency', { concurrency: 1 }, null],
    ['rate', { rate: { count: 1, window: HOUR } }, null],
    ['serial', { serial: 'sender' }, expect.any(String)],
  ] as const)('a limit: %s', async (why, limits, sender) => {
    const bench = new VirtualBench({ handle: long, limits, settings })
    // The window of an earlier process has to pass.
    await bench.pass(HOUR + MINUTE)
    for (const text of ['one', 'two', 'three']) bench.send(text)
    await bench.pass(MINUTE)
    expect(await told(bench)).toEqual([{ route: 'test', sender, why, isParked: false, count: 2, left: null }])
    await bench.stop()
  })

  it('all slots are taken', async () => {
    const bench = new VirtualBench({ handle: long, settings: { ...settings, concurrency: 1 } })
    for (const text of ['one', 'two']) bench.send(text)
    await bench.pass(MINUTE)
    expect(await told(bench)).toMatchObject([{ route: 'test', sender: null, why: 'slots', count: 1 }])
    await bench.stop()
  })

  it('an operator has paused it, and for how long still', async () => {
    const bench = new VirtualBench({ handle: long, settings, limits: {} })
    await bench.pass(MINUTE)
    await bench.daemon.worker.pauses.pause({ by: 'ann', route: 'test' }, HOUR)
    bench.send('one')
    // It looks before the worker has come across it.
    const [one, ...others] = await told(bench)
    await bench.pass(MINUTE)
    expect([one, others]).toMatchObject([{ route: 'test', sender: null, why: 'paused', count: 1 }, []])
    expect(one?.left).toBeGreaterThan(50 * MINUTE)
    expect(bench.all('clink.leftAlone')).toMatchObject([{ why: 'paused' }])
    const { inbox, leftAlone, notWorked } = bench.daemon.worker.report()
    expect([inbox, leftAlone]).toMatchObject([{ pending: 1, leftAlone: 0 }, new Map()])
    expect(notWorked).toMatchObject([{ route: 'test', sender: null, why: 'paused', count: 1 }])
    await bench.stop()
  })

  it('all fails on its route: also what is in hand counts, and until when it waits', async () => {
    const bench = new VirtualBench({
      handle: async () => await Promise.reject(new Error('the database is away')),
      settings: { ...settings, claim: { ...settings.claim, maxHold: 2 * HOUR }, concurrency: 5 },
    })
    for (let n = 0; n < 20; n += 1) bench.send(`clink ${n}`)
    await bench.pass(MINUTE)
    const { held } = bench.daemon.snapshot()
    expect(held).toBeGreaterThan(0)
    expect(await told(bench)).toEqual([
      { route: 'test', sender: null, why: 'failing', isParked: false, count: 20, left: expect.any(Number) },
    ])
    expect(bench.daemon.worker.report().inbox).toMatchObject({ pending: 20 - held, leftAlone: 0, isSaturated: false })
    await bench.stop()
  })

  it('its sender is left alone, and by which setting; nothing else is said of what is worked', async () => {
    const bench = new VirtualBench({ handle: long, settings })
    const { emulator } = bench
    await bench.pass(MINUTE)
    const { clink_id: id, sender_id: sender } = emulator.send('ops', 'from bob', { from: 'bob' })
    await bench.pass(MINUTE)
    expect(await told(bench)).toEqual([])
    expect(emulator.clink(id)?.status).toBe('claimed')
    bench.change({ ...settings, inbox: { ignore: [sender] } })
    emulator.send('ops', 'again', { from: 'bob' })
    await bench.pass(MINUTE)
    expect(await told(bench)).toEqual([
      { route: null, sender, why: 'inbox.ignore', isParked: false, count: 1, left: null },
    ])
    await bench.stop()
  })

  it('it was given back a while ago, and until when; its claim is parked where a poll has made another', async () => {
    const release: VirtualOptions['handle'] = async (_, ctx) => await Promise.resolve(ctx.release('later'))
    const bench = new VirtualBench({ handle: release, settings: { ...settings, retry: { cooldown: HOUR } } })
    bench.send('one')
    await bench.pass(MINUTE)
    const [one] = await told(bench)
    expect(one).toMatchObject({ route: null, sender: expect.any(String), why: 'cooling', isParked: false, count: 1 })
    expect(one?.left).toBeGreaterThan(50 * MINUTE)
    expect(one?.left).toBeLessThanOrEqual(HOUR)
    await bench.stop()

    const batch = { ...settings, inbox: { claim: 'batch' }, retry: { cooldown: HOUR } } as const
    const other = new VirtualBench({ handle: release, settings: batch })
    other.send('one')
    await other.pass(MINUTE)
    const [parked] = await told(other)
    expect(parked).toMatchObject({ why: 'cooling', isParked: true, count: 1 })
    expect(parked?.left).toBeLessThanOrEqual(5 * MINUTE)
    await other.stop()
  })

  it('its text ends a circle of workers, so that nobody answers it', async () => {
    const bench = new VirtualBench({ handle: long, settings })
    bench.send('known')
    await bench.pass(MINUTE)
    const { sender_id: sender } = bench.emulator.send('ops', '— clink-worker: not run · hop end', { from: 'bob' })
    await bench.pass(MINUTE)
    expect(await told(bench)).toMatchObject([{ route: null, sender, why: 'note', count: 1 }])
    await bench.stop()
  })

  it('asks the service no more than once in 5 s for it, and not at all while nobody asks', async () => {
    const bench = new VirtualBench({ handle: long, settings })
    await bench.pass(MINUTE)
    const looks = (): number => bench.sent.filter(({ path }) => path.includes('limit=100')).length
    const before = looks()
    for (let n = 0; n < 30; n += 1) await told(bench)
    expect(looks() - before).toBeLessThanOrEqual(12)
    await bench.stop()
  })
})
