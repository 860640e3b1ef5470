import { expect, it } from 'vitest'
import { answer, MINUTE, VirtualBench } from '../../support/virtual.ts'

const isClaim = (path: string): boolean => path.endsWith('/claim')
const isClaimingPoll = (path: string): boolean => path.startsWith('/inbox') && path.includes('claim=true')

it('a page that is given back because nothing tells whose it is, is not claimed in a circle (P10, §8)', async () => {
  let isAway = true
  const bench = new VirtualBench({
    handle: async () => 'done',
    switches: { pollRecords: 'snapshot' },
    weather: ({ path }) => (isAway && isClaim(path) ? answer(503) : undefined),
    settings: { clink: { identity: 'ap_worker' } },
  })
  const ids = ['one', 'two'].map((text) => bench.send(text))
  await bench.pass(MINUTE)
  expect(bench.all('clink.parked').map(({ why }) => why)).toContain('owner-unknown')
  expect(bench.all('clink.started')).toEqual([])
  expect(bench.sent.filter(({ path }) => isClaimingPoll(path)).length).toBeLessThan(120)

  isAway = false
  await bench.pass(MINUTE)
  expect(ids.map((id) => bench.emulator.clink(id)?.status)).toEqual(['completed', 'completed'])
  await bench.stop()
})
