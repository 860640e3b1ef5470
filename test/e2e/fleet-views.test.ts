import { hostname } from 'node:os'
import { describe, expect, it } from 'vitest'
import { statusOutput } from '../../src/control/status.ts'
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

  it('says which member an act of an operator was of, and as which member of the fleet a worker is found', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const [a, b] = [fleet.command('a', 'run'), fleet.command('b', 'run')]
    await Promise.all([says(a, 'worker.ready'), says(b, 'worker.ready')])
    const json = async (name: string, ...args: string[]): Promise<unknown> => {
      const said = await fleet.said(name, ...args, '--json')
      return JSON.parse(said.replace(/^\d+ /, ''))
    }
    const own = async (name: string) => statusOutput.parse(await json(name, 'status'))
    const found = await own('a')
    if (found.worker === null || found.fleet === null) throw new Error('it is a member')
    const { machine, member } = found.fleet
    expect(found.fleet).toEqual({ name: 'default', member: expect.stringMatching(/^\w{16}$/), machine: hostname() })
    const called = `${machine} (${member.slice(0, 6)})`
    // It says what it does a moment after its start.
    await expect
      .poll(async () => await json('operator', 'status', '--fleet'), { timeout: 10_000 })
      .toMatchObject({
        members: expect.arrayContaining([
          expect.objectContaining({ member, name: called, signs: expect.objectContaining({ pid: a.pid }) }),
        ]),
      })
    expect(await fleet.said('a', 'status')).toContain(`\nfleet     default, we are ${called}\n`)
    expect(a.output).toMatch(new RegExp(`"worker.started".*"fleet":"default","member":"${member}"`))

    expect(await fleet.said('a', 'pause', '--route', 'work')).toMatch(/^0 /)
    expect(await fleet.said('operator', 'pause', '--fleet')).toMatch(/^0 /)
    const line = (act: string, worker: string, about: string) =>
      new RegExp(`  ${act} +${worker.replaceAll(/[()]/g, '\\$&')} +${about}`)
    await until(
      async () => line('pause', '-', 'the fleet\n').test(await fleet.said('b', 'status', '--audit')),
      () => `the other one has read it:\n${b.output}`,
    )
    expect(await fleet.said('b', 'status', '--audit')).toMatch(line('pause', called, 'the route work\n'))
    expect(await json('b', 'status', '--audit')).toMatchObject([{ act: 'pause', member, machine }, { act: 'pause' }])
    expect(await fleet.said('operator', 'resume', '--fleet')).toMatch(/^0 /)
    await Promise.all([end(a), end(b)])
  })

  it('tells whoever pauses or resumes a worker what the fleet has paused at that moment, and goes by it', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const a = fleet.command('a', 'run')
    await says(a, 'worker.ready')
    // A worker looks every five seconds: one of these would be too early.
    for (let round = 1; round <= 3; round += 1) {
      expect(await fleet.said('a', 'pause', '--route', 'work')).toBe('0 paused: the route work, until it is resumed\n')
      expect(await fleet.said('operator', 'pause', '--fleet')).toMatch(/^0 paused in the fleet/)
      expect(await fleet.said('a', 'resume', '--route', 'work')).toBe(
        '0 resumed; still paused in the fleet: everything (`clink-worker resume --fleet`)\n',
      )
      expect(await fleet.said('a', 'health', 'ready')).toMatch(/^1 not ready\nits fleet is paused/)
      expect(await fleet.said('operator', 'resume', '--fleet')).toBe('0 resumed in the fleet default: everything\n')
      expect(await fleet.said('a', 'resume')).toBe('0 nothing to resume\n')
      expect(await fleet.said('a', 'health', 'ready')).toBe('0 ready\n')
    }
    await end(a)
  })
})
