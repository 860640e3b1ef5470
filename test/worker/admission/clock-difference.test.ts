import { expect, it } from 'vitest'
import { HOUR, MINUTE, VirtualBench } from '../../support/virtual.ts'

it.each([
  ['behind', -2 * HOUR],
  ['ahead of', 2 * HOUR],
])(
  'where ages count, a clock that is %s the service’s is said once, and again after it was right',
  async (where, jump) => {
    const bench = new VirtualBench({
      settings: { inbox: { maxAge: HOUR }, claim: { exclusive: true } },
      handle: async () => 'done',
    })
    const said = (): readonly string[] => bench.all('worker.clockDiffers').map(({ advice }) => advice)
    await bench.pass(2 * MINUTE)
    expect(said()).toEqual([])

    bench.wallJump = jump
    await bench.pass(10 * MINUTE)
    expect(said()).toEqual([
      expect.stringMatching(`clock is 2h 00m ${where} the service's, so .* inbox.maxAge says.*: set the clock`),
    ])
    expect(bench.all('worker.clockDiffers').map(({ ahead }) => Math.round(ahead / MINUTE))).toEqual([-jump / MINUTE])

    bench.wallJump = 0
    await bench.pass(2 * MINUTE)
    bench.wallJump = jump
    await bench.pass(2 * MINUTE)
    expect(said()).toHaveLength(2)
    await bench.stop()
  },
)

it('where no age counts, nothing is said of clocks: nothing depends on them', async () => {
  const bench = new VirtualBench({ handle: async () => 'done' })
  bench.wallJump = 2 * HOUR
  await bench.pass(10 * MINUTE)
  expect(bench.all('worker.clockDiffers')).toEqual([])
  await bench.stop()
})
