import { describe, expect, it } from 'vitest'
import type { Target } from '../../../src/handlers/route.ts'
import { answers } from '../../support/record.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

const CLINKS = 8
const mended: Target = { is: 'module', handle: async () => await Promise.resolve('mended') }

function bench(attempts: number): VirtualBench {
  const made = new VirtualBench({
    settings: { concurrency: CLINKS, retry: { attempts, backoff: 10_000, maxBackoff: 10_000 } },
    handle: async () => await Promise.reject(new Error('broken')),
  })
  for (let n = 0; n < CLINKS; n += 1) made.send(`clink ${n}`)
  return made
}

describe('a clink in hand when handlers are reloaded', () => {
  it('that waits for its paused route is run by the new one, and none is given up (P10, §4)', async () => {
    const paused = bench(3)
    while (paused.all('route.paused').length === 0) await paused.pass(100)
    paused.reload({ target: mended })
    await paused.pass(MINUTE)

    expect(paused.all('clink.deadLettered')).toEqual([])
    expect(paused.all('clink.claimed')).toHaveLength(CLINKS)
    expect(answers(paused.emulator).map(({ content }) => content)).toEqual(
      Array.from({ length: CLINKS }, () => 'mended'),
    )
    await paused.stop()
  })

  it('that waits for its paused route comes at once to another one that takes it from then on', async () => {
    const paused = bench(3)
    while (paused.all('route.paused').length === 0) await paused.pass(100)
    paused.reload({ name: 'other', target: mended })
    await paused.pass(12_000)

    expect(paused.all('route.resumed')).toMatchObject([{ route: 'test' }])
    expect(paused.all('clink.released')).toHaveLength(CLINKS)
    await paused.pass(MINUTE)
    expect(paused.all('clink.completed').map(({ route }) => route)).toEqual(
      Array.from({ length: CLINKS }, () => 'other'),
    )
    await paused.stop()
  })

  it('that backs off is counted in a row of its own where its route is gone, until it is given back', async () => {
    const backing = bench(5)
    await backing.pass(1_000)
    backing.reload({ name: 'other', target: mended })
    await backing.pass(10)
    const rows = () => backing.daemon.worker.report().routes.map(({ held, isGone, name }) => ({ name, held, isGone }))
    expect(backing.daemon.snapshot().held).toBe(CLINKS)
    expect(rows()).toEqual([
      { name: 'other', held: 0, isGone: false },
      { name: 'test', held: CLINKS, isGone: true },
    ])
    await backing.pass(MINUTE)
    expect(rows()).toEqual([{ name: 'other', held: 0, isGone: false }])
    await backing.stop()
  })

  it('that backs off goes by the new settings of its route with its next start', async () => {
    const backing = bench(5)
    await backing.pass(1_000)
    expect(backing.all('clink.ended')).toHaveLength(CLINKS)
    backing.reload({ retry: { attempts: 2 } })
    await backing.pass(MINUTE)

    expect(backing.all('clink.deadLettered').map(({ attempts }) => attempts)).toEqual(
      Array.from({ length: CLINKS }, () => 2),
    )
    await backing.stop()
  })

  it('that came in hand while its route was being found is run by the new handler as well', async () => {
    const finding = new VirtualBench({
      settings: { retry: { attempts: 1 } },
      finding: () => 3_000,
      handle: async () => await Promise.reject(new Error('broken')),
    })
    finding.send('clink')
    while (finding.sent.every(({ path }) => !path.includes('claim=true'))) await finding.pass(100)
    await finding.pass(1_000)
    expect(finding.all('clink.claimed')).toEqual([])
    finding.reload({ target: mended })
    await finding.pass(MINUTE)

    expect(finding.all('clink.deadLettered')).toEqual([])
    expect(answers(finding.emulator).map(({ content }) => content)).toEqual(['mended'])
    await finding.stop()
  })

  it('that another route takes from then on is given back, and comes to that one', async () => {
    const moved = bench(2)
    await moved.pass(1_000)
    moved.reload({ name: 'other', target: mended })
    await moved.pass(MINUTE)

    expect(moved.all('clink.released').map(({ why }) => why)).toEqual(Array.from({ length: CLINKS }, () => 'rerouted'))
    expect(moved.all('clink.completed').map(({ route }) => route)).toEqual(
      Array.from({ length: CLINKS }, () => 'other'),
    )
    await moved.stop()
  })
})
