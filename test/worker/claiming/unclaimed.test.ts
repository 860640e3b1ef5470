import { expect, it } from 'vitest'
import type { Transport } from '../../../src/clink/transport.ts'
import { MINUTE, VirtualBench, type VirtualOptions } from '../../support/virtual.ts'

/** A service whose claiming polls claim nothing while `isDeaf`, and say so. */
function deaf(state: { isDeaf: boolean }): (inner: Transport) => Transport {
  return (inner) => ({
    send: async (request) => {
      if (!state.isDeaf || !request.path.includes('claim=true')) return await inner.send(request)
      const response = await inner.send({ ...request, path: request.path.replace('claim=true', 'claim=false') })
      const { data } = JSON.parse(response.body) as { data: Record<string, unknown> }
      return { ...response, body: JSON.stringify({ success: true, data: { ...data, claimed_count: 0 } }) }
    },
  })
}

function work(state: { isDeaf: boolean }, more: Partial<VirtualOptions> = {}): VirtualBench {
  return new VirtualBench({ spoil: deaf(state), handle: async () => 'done', ...more })
}

it('§8: a worker whose polls show clinks and claim none, again and again, is not ready and says so until they do', async () => {
  const state = { isDeaf: true }
  const bench = work(state)
  const id = bench.send('work')
  await bench.pass(2_000)
  expect(bench.daemon.readiness()).toEqual({ ready: true, reasons: [] })
  await bench.pass(2 * MINUTE)
  expect(bench.daemon.readiness()).toEqual({
    ready: false,
    reasons: [expect.stringMatching(/^clinks wait, and the service claims none of them .*: use inbox.claim: select/)],
  })
  expect(bench.all('worker.notReady').length).toBeGreaterThan(0)
  expect(bench.emulator.clink(id)?.status).toBe('pending')

  state.isDeaf = false
  await bench.pass(MINUTE)
  expect(bench.emulator.clink(id)?.status).toBe('completed')
  expect(bench.daemon.readiness()).toEqual({ ready: true, reasons: [] })
  expect(bench.all('worker.ready')).toHaveLength(2)
  await bench.stop()
})

it('§9: with --once it ends with 69 and the reason, and does not take the inbox for empty', async () => {
  const bench = work({ isDeaf: true }, { once: {} })
  bench.send('work')
  const codes: number[] = []
  void bench.daemon.ended.then((code) => codes.push(code))
  await bench.pass(2 * MINUTE)

  expect(codes).toEqual([69])
  expect(bench.all('worker.stopping')).toMatchObject([{ reason: 'clinks wait, and the service claims none of them' }])
})

it('a clink that another one won in the same moment is no reason, and neither is what is for somebody else', async () => {
  const state = { isDeaf: true }
  const bench = work(state, { settings: { inbox: { for: 'anyone' }, poll: { maxInterval: 1_000 } } })
  bench.emulator.send('ops', 'for alice', { from: 'bob', for: 'alice' })
  await bench.pass(2 * MINUTE)
  expect(bench.daemon.readiness()).toEqual({ ready: true, reasons: [] })

  for (let n = 0; n < 20; n += 1) {
    const id = bench.send('another one wins')
    await bench.pass(1_500)
    bench.emulator.changeClink(id, { status: 'completed' })
  }
  expect(bench.all('poll.succeeded').filter(({ received }) => received > 1).length).toBeGreaterThan(15)
  expect(bench.daemon.readiness()).toEqual({ ready: true, reasons: [] })
  await bench.stop()
})
