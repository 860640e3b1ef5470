import { expect, it } from 'vitest'
import { Bench, until } from '../../support/harness.ts'
import { requests } from '../../support/record.ts'

const HOUR = 3_600_000

it('when there are other handlers everything is looked at: what no route has taken may be wanted (§3)', async () => {
  await using bench = await Bench.open()
  let isTaken = false
  const station = bench.work(() => 'done', {
    settings: { inbox: { claim: 'select' }, claim: { exclusive: true }, poll: { sweep: HOUR } },
    takes: () => isTaken,
  })
  const id = bench.send('later')
  await until(() => station.all('clink.leftAlone').some(({ clinkId }) => clinkId === id), 'it is left alone')
  const looks = (isWhole: boolean): number =>
    requests(bench.emulator, 'check_inbox').filter(({ params }) => (params['since'] === undefined) === isWhole).length
  await until(() => looks(false) > 3, 'only what is new is looked at')
  const before = looks(true)
  isTaken = true
  station.daemon.rerouted()
  await until(() => looks(true) > before, 'everything is looked at')
  await bench.completed(id)
  expect(station.runsOf(id)).toHaveLength(1)
})
