import { expect, it } from 'vitest'
import { Bench, until } from '../../support/harness.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

it('P1, §3: a parked clink that another route takes after a reload is given back at once, and runs', async () => {
  await using bench = await Bench.open()
  let isTaken = false
  const station = bench.work(() => 'done', {
    settings: { inbox: { claim: 'batch' }, claim: { timeout: 300_000 } },
    takes: ({ content }) => isTaken && content === 'wanted',
  })
  const [wanted, other] = [bench.send('wanted'), bench.send('other')]
  await until(() => station.all('clink.parked').length === 2, 'both are parked')
  isTaken = true
  station.daemon.rerouted()
  await bench.completed(wanted)

  expect(station.all('clink.released')).toMatchObject([{ clink: { clink_id: wanted }, why: 'parked' }])
  expect(station.all('clink.parked', wanted)).toHaveLength(1)
  expect(bench.status(other)).toBe('claimed')
})

it('§3: the same by another configuration: a note that is to be acknowledged now', async () => {
  const bench = new VirtualBench({
    settings: { inbox: { claim: 'batch', ownReplies: 'leave' } },
    handle: async () => await Promise.resolve('done'),
  })
  const id = bench.send('half of it is done\n— someone · note')
  while (bench.all('clink.parked').length === 0) await bench.pass(100)
  expect(bench.all('clink.parked')).toMatchObject([{ why: 'note' }])
  await bench.pass(10_000)
  expect(bench.emulator.clink(id)?.status).toBe('claimed')
  bench.change({ inbox: { claim: 'batch', ownReplies: 'acknowledge' } })
  await bench.pass(20_000)

  expect(bench.emulator.clink(id)?.status).toBe('completed')
  await bench.stop()
})

it('P2, §2: a claim of which nobody told how long it lasts is not given back: it may be over', async () => {
  const bench = new VirtualBench({
    settings: { inbox: { claim: 'batch', ownReplies: 'leave' } },
    switches: { claimTimes: 'absent', defaultTimeout: 30, maxTimeout: 'cap:30' },
    handle: async () => await Promise.resolve('done'),
  })
  bench.send('half of it is done\n— someone · note')
  while (bench.all('clink.parked').length === 0) await bench.pass(100)
  bench.change({ inbox: { claim: 'batch', ownReplies: 'acknowledge' } })
  await bench.pass(2 * MINUTE)

  expect(bench.all('clink.released')).toEqual([])
  expect(bench.all('clink.completed')).toHaveLength(1)
  await bench.stop()
})
