import { expect, it } from 'vitest'
import { defaultSeed } from '../../../src/emulator/seed/default-seed.ts'
import { Bench, until } from '../../support/harness.ts'
import { requests } from '../../support/record.ts'

/** Agents whose ids do not tell that they are some. */
const seed = {
  ...defaultSeed,
  agents: [
    { name: 'worker', id: 'robot-1', group: 'ops' },
    { name: 'helper', id: 'robot-2', group: 'ops' },
  ],
}

it('an agent whose id does not tell it is known by the list of members: a circle of such ends as well (P15, §5)', async () => {
  await using bench = await Bench.open({ seed })
  const stations = ['worker', 'helper'].map((key) => bench.work(() => 'and you?', { key }))
  bench.send('what do you say?', { from: 'helper', for: 'robot-1' })
  await until(() => stations.some((station) => station.all('clink.circleEnded').length > 0), 'the circle ends')
  const isOver = (): boolean =>
    bench.emulator.clinks().every(({ content, status }) => status === 'completed' || content.endsWith('· hop end'))
  await until(isOver, 'nothing waits')

  // What was answered before the list had come carries no hops.
  expect(bench.emulator.clinks().length).toBeLessThan(20)
  expect(requests(bench.emulator, 'list_members').length).toBeLessThanOrEqual(2)
})

it('answers wait for no list of members', async () => {
  await using bench = await Bench.open()
  const slow = bench.fault({ operation: 'list_members' }, { status: 403, delayBefore: 20_000 })
  const station = bench.work(() => 'an answer')
  await bench.completed(bench.sendMany(20))
  await until(() => station.all('clink.completed').length === 20, 'the worker has heard of all of it')

  expect(station.all('clink.completed').map(({ response }) => response)).toEqual(Array(20).fill('an answer'))
  expect(slow.hits).toBe(1)
})

it('a key that may not have the list of members is asked for it once an hour', async () => {
  await using bench = await Bench.open()
  const refusing = bench.fault({ operation: 'list_members' }, { status: 403 })
  bench.work(() => 'an answer')
  await bench.completed(bench.sendMany(5))
  await until(() => refusing.hits > 0, 'the members are asked for')
  await bench.completed(bench.sendMany(20))

  expect(refusing.hits).toBe(1)
})

it('people who are known to be people are not asked about', async () => {
  await using bench = await Bench.open()
  const station = bench.work(() => 'an answer')
  await bench.completed(bench.sendMany(5))
  await until(() => requests(bench.emulator, 'list_members').length > 0, 'the members are asked for')
  await bench.completed(bench.sendMany(20))

  expect(requests(bench.emulator, 'list_members')).toHaveLength(1)
  expect(station.runs).toHaveLength(25)
})
