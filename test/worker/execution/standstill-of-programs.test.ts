import { expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { Bench } from '../../support/harness.ts'
import { execRunner, sh } from '../../support/programs.ts'

function holdUp(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

it('P12: a program is not named as what holds the worker up: it cannot', async () => {
  await using bench = await Bench.open({}, systemClock())
  const id = bench.send('work')
  const target = sh('echo begun >&2; sleep 4; echo done')
  const station = bench.work(() => {}, { runner: execRunner(), target })
  await station.seen('clink.log', id)
  holdUp(2_500)
  await bench.completed(id)
  expect(station.all('worker.stoodStill')).toEqual([])
})
