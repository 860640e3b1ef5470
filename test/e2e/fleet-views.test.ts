import { describe, expect, it } from 'vitest'
import type { Command } from '../support/command.ts'
import { FleetSite } from '../support/fleet-site.ts'
import { clusterOfFile } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const cluster = clusterOfFile()

async function says(worker: Command, text: string): Promise<void> {
  await until(
    () => worker.output.includes(text),
    () => `${text}:\n${worker.output}`,
  )
}

async function end(worker: Command): Promise<void> {
  worker.signal('SIGTERM')
  expect(await worker.exited, worker.output).toBe(0)
}

describe('what operators see of a fleet', { timeout: 90_000 }, () => {
  it('says of a rerun that was asked for where no worker runs when it is run, and who does it sooner', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const id = fleet.send('poison')
    const tell = ['run', '--set', 'retry.onExhausted=complete']
    const first = fleet.command('a', ...tell)
    await says(first, 'clink.completed')
    await end(first)
    const other = fleet.command('b', ...tell)
    await says(other, 'worker.ready')
    const asked = await fleet.said('a', 'failed', 'retry', id)
    expect(asked).toMatch(
      /^0 \S+ will be run again, .*, when the worker of this state directory starts: it does not run now; ask at one of the fleet that runs/,
    )
    expect(await fleet.said('b', 'failed', 'retry', id)).toMatch(
      /^0 \S+ will be run again, and its result sent to its sender as a new clink\n$/,
    )
    await until(
      async () => (await fleet.site.noted()).includes('poison 1 b'),
      () => `the one that runs does it:\n${other.output}`,
    )
    await end(other)
  })
})
