import { expect, it } from 'vitest'
import { times } from '../support/record.ts'
import { until } from '../support/until.ts'
import { Site } from '../support/command.ts'

const faking = `
const later = globalThis.setTimeout
export default async () => {
  const nothing = () => 0
  Object.assign(globalThis, { setTimeout: nothing, setInterval: nothing, setImmediate: nothing })
  Date.now = nothing
  globalThis.Date.parse = () => Number.NaN
  performance.now = nothing
  process.hrtime.bigint = () => 0n
  await new Promise((resolve) => later(resolve, 5_000))
  return 'done'
}
`

it(
  'P4, §2: a handler that fakes clocks and timers takes no lease, no result and no stop with it',
  { timeout: 90_000 },
  async () => {
    const config = 'concurrency: 1\nclaim: { timeout: 3s }\nshutdown: { timeout: 5s, drain: 2s }\n'
    await using site = await Site.open({ handler: faking, config, emulator: { switches: { defaultTimeout: 3 } } })
    const ids = site.sendMany(2)
    const worker = site.start('run')
    await until(
      () => ids.every((id) => site.emulator.clink(id)?.status === 'completed'),
      () => `both are completed:\n${worker.output}`,
    )
    worker.signal('SIGTERM')

    expect(await worker.exited, worker.output).toBe(0)
    for (const id of ids) {
      expect(times(site.emulator, id, 'claimed')).toBe(1)
      expect(times(site.emulator, id, 'renewed')).toBeGreaterThan(1)
    }
  },
)
