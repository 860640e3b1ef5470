import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { SmallDisk } from '../support/small-disk.ts'
import { stillClaimed } from '../support/record.ts'
import { until } from '../support/until.ts'
import { isAlive, Site, type Command } from '../support/command.ts'

const TALKS = `
export default async (clink, ctx) => {
  for (let n = 0; n < 200; n += 1) console.log(clink.content, n, 'x'.repeat(1_000))
  return 'done'
}
`
const WAITS_AND_TALKS = `
import { appendFileSync } from 'node:fs'
export default async (clink, ctx) => {
  appendFileSync(process.env['NOTES'], clink.clink_id + '\\n')
  while (!ctx.signal.aborted && !ctx.draining.aborted) {
    STREAM.write('still at it\\n')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return 'drained'
}
`
const config = 'concurrency: 4\npoll: { interval: 50ms, maxInterval: 200ms }\nclaim: { timeout: 3s }\n'

async function ready(command: Command): Promise<void> {
  await until(
    () => command.output.includes('worker.ready'),
    () => `it is ready:\n${command.output}`,
  )
}

const completed = (site: Site, ids: readonly string[]): number =>
  ids.filter((id) => site.emulator.clink(id)?.status === 'completed').length

/** Lines of the handlers, as `TALKS` writes them. */
const spoken = (text: string): number => text.split('\n').filter((line) => /^task \d+ \d+ x{1000}$/.test(line)).length

describe.concurrent('§6, P4: whoever reads the output', () => {
  it('stands still: the work, its renewals and the stop go on; what nobody took is counted', async () => {
    const emulator = { switches: { defaultTimeout: 3 } }
    await using site = await Site.open({ handler: TALKS, config, emulator })
    const command = site.start('run')
    await ready(command)
    command.stopReading()
    // More than is kept for a reader that is behind.
    const ids = site.sendMany(60)
    await until(() => completed(site, ids) === 60, 'all are done')
    command.readOn()
    await until(
      () => command.output.includes('output.resumed'),
      () => `it says that it goes on:\n${command.output.length}`,
    )
    command.signal('SIGTERM')

    expect(await command.exited).toBe(0)
    const gaps = [...command.output.matchAll(/"event":"output.resumed".*"dropped":(\d+)/g)]
    const dropped = gaps.reduce((sum, [, count]) => sum + Number(count), 0)
    expect(dropped).toBeGreaterThan(0)
    // Log lines are among what was dropped, and no line was cut.
    expect(spoken(command.output) + dropped).toBeGreaterThanOrEqual(60 * 200)
    for (const line of command.output.split('\n')) expect(line).toMatch(/^(\{.*\}|task \d+ \d+ x{1000}|)$/)
    expect(command.output.trimEnd().split('\n').at(-1)).toContain('worker.stopped')
  })

  it('stands still until the end: the stop is in time all the same', async () => {
    await using site = await Site.open({ handler: TALKS, config: `${config}shutdown: { timeout: 4s, drain: 1s }\n` })
    const command = site.start('run')
    await ready(command)
    command.stopReading()
    const ids = site.sendMany(20)
    await until(() => completed(site, ids) === 20, 'all are done')
    const start = performance.now()
    command.signal('SIGTERM')
    await until(() => !isAlive(command.pid), 'the process has ended')

    expect(performance.now() - start).toBeLessThan(5_000)
    expect(stillClaimed(site.emulator)).toEqual([])
  })

  it('reads slowly, and gets every line of a normal end, in order', async () => {
    await using site = await Site.open({ handler: TALKS, config })
    site.sendMany(10)
    const command = site.start('run', '--once')

    expect(await command.exited).toBe(0)
    expect(spoken(command.output)).toBe(10 * 200)
    expect(command.output.trimEnd().split('\n').at(-1)).toContain('worker.stopped')
  })

  it.for(['process.stdout', 'process.stderr'])(
    '%s: has gone: what runs ends in order, and that is no success',
    async (stream) => {
      await using site = await Site.open({ handler: WAITS_AND_TALKS.replace('STREAM', stream), config })
      const ids = site.sendMany(3)
      const command = site.start('run')
      await until(async () => (await site.noted()).length === 3, 'the handlers run')
      command.closeOutput()

      if (stream === 'process.stderr') {
        // Nothing of the handlers' goes there: the log is told when it has something to say.
        command.signal('SIGUSR2')
      }
      expect(await command.exited).toBe(1)
      expect(completed(site, ids)).toBe(3)
      expect(stillClaimed(site.emulator)).toEqual([])
    },
  )
})

it('§6: a log on a full disk is waited for, which standard error says; what runs is not ended by it', async (context) => {
  using disk = new SmallDisk(context)
  mkdirSync(disk.state)
  const path = join(disk.state, 'log')
  const file = openSync(path, 'a')
  await using site = await Site.open({ handler: TALKS.replaceAll('200', '2'), config })
  disk.fill()
  const command = site.startInto(file, 'run')
  await until(
    () => command.errors.includes('cannot be written'),
    () => `it says that the log cannot be written:\n${command.output}`,
  )
  expect(command.errors).toMatch(/^clink-worker: stdout cannot be written: ENOSPC/)
  const ids = site.sendMany(5)
  await until(() => completed(site, ids) === 5, 'the work goes on')
  disk.free()
  await until(
    () => readFileSync(path, 'utf8').includes('output.resumed'),
    () => `the log goes on:\n${readFileSync(path, 'utf8')}`,
  )
  command.signal('SIGTERM')
  expect(await command.exited, command.output).toBe(0)
  closeSync(file)
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  for (const line of lines) expect(line).toMatch(/^(\{.*\}|task \d+ \d+ x+)$/)
  expect(lines[0]).toContain('worker.started')
  expect(lines.at(-1)).toContain('worker.stopped')
})
