import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Command } from '../support/command.ts'
import { FleetSite } from '../support/fleet-site.ts'
import { clusterOfFile } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const cluster = clusterOfFile()

/** Of nobody who works: a machine that has the configuration and no state directory. */
const OPERATOR = 'operator'

/** Claims by polls, a few times a second: what is sent waits no longer. */
const LONGER_THAN_A_POLL = 1_000

async function end(...workers: readonly Command[]): Promise<void> {
  for (const worker of workers) worker.signal('SIGTERM')
  for (const worker of workers) expect(await worker.exited, worker.output).toBe(0)
}

async function says(worker: Command, event: string, times = 1): Promise<void> {
  await until(
    () => worker.output.split(`"${event}"`).length > times,
    () => `${event}:\n${worker.output}`,
  )
}

async function works(fleet: FleetSite, content: string, ...workers: readonly Command[]): Promise<void> {
  const id = fleet.send(content)
  await until(
    () => fleet.site.emulator.clink(id)?.status === 'completed',
    () => `${content} is worked:\n${workers.map(({ output }) => output).join('\n')}`,
  )
}

describe('a fleet that somebody pauses', { timeout: 90_000 }, () => {
  it('claims nothing more, over restarts and while the database is away, until somebody resumes it', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const { emulator } = fleet.site
    const [a, b] = [fleet.command('a', 'run'), fleet.command('b', 'run')]
    await Promise.all([says(a, 'worker.ready'), says(b, 'worker.ready')])
    const inHand = fleet.send('waits')
    await until(
      async () => (await fleet.site.noted()).length === 1,
      () => `it runs:\n${a.output}${b.output}`,
    )
    expect(await fleet.said(OPERATOR, 'pause', '--fleet', '--note', 'database upgrade')).toMatch(
      /^0 paused in the fleet default: everything, until it is resumed; each of its workers sees it within 5 s\n$/,
    )
    await Promise.all([says(a, 'fleet.paused'), says(b, 'fleet.paused')])
    const held = fleet.send('held')
    await fleet.site.write('notes.txt.go')
    await until(() => emulator.clink(inHand)?.status === 'completed', 'what is in hand is worked to its end')
    await delay(LONGER_THAN_A_POLL)
    expect(emulator.clink(held)?.status).toBe('pending')
    expect(await fleet.said('b', 'health', 'ready')).toMatch(
      /^1 not ready\nits fleet is paused \(by .*: database upgrade\)\n$/,
    )
    expect(await fleet.said('a', 'resume')).toBe(
      '0 nothing to resume; still paused in the fleet: everything (`clink-worker resume --fleet`)\n',
    )
    expect(await fleet.said('a', 'status')).toMatch(
      / · paused · not ready · .*\nits fleet is paused \(by .*\n {2}→ clink-worker resume --fleet\n[^]*\bwork .* paused in the fleet\n/,
    )
    const status = await fleet.said(OPERATOR, 'status', '--fleet')
    expect(status).toMatch(/\neverything is paused in the fleet \(by .*: database upgrade\)\n {2}→ clink-worker resume/)
    a.signal('SIGKILL')
    await a.exited
    const again = fleet.command('a', 'run')
    await Promise.all([says(again, 'fleet.paused'), cluster.stop('SIGQUIT')])
    try {
      await Promise.all([says(again, 'store.failed'), says(b, 'store.failed')])
      expect(await fleet.said(OPERATOR, 'resume', '--fleet')).toMatch(/^75 /)
      await end(again)
      const away = fleet.command('a', 'run')
      await says(away, 'fleet.paused')
      await end(away)
    } finally {
      await cluster.start()
    }
    await says(b, 'store.recovered')
    await delay(LONGER_THAN_A_POLL)
    expect(emulator.clink(held)?.status).toBe('pending')
    expect(await fleet.said(OPERATOR, 'resume', '--fleet')).toBe('0 resumed in the fleet default: everything\n')
    await until(
      () => emulator.clink(held)?.status === 'completed',
      () => `it goes on:\n${b.output}`,
    )
    expect(await fleet.said('b', 'status', '--audit')).toMatch(
      / pause +the fleet · "database upgrade"\n.* resume +the fleet\n$/,
    )
    await end(b)
  })

  it('has --once end with 75 at a worker that has never seen it, and goes on by itself when its time is over', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const first = fleet.command('a', 'run')
    await works(fleet, 'first', first)
    expect(await fleet.said('a', 'pause', '--fleet', '--for', '20s', '--json')).toBe(
      '0 {"fleet":"default","routes":[null]}\n',
    )
    await says(first, 'fleet.paused')
    const held = fleet.send('held')
    const once = fleet.command('new', 'run', '--once')
    expect(await once.exited, once.output).toBe(75)
    expect(await fleet.said('a', 'pause', '--fleet', '--for', '1s')).toMatch(/^0 /)
    await until(
      () => fleet.site.emulator.clink(held)?.status === 'completed',
      () => `it goes on:\n${first.output}`,
    )
    expect(await fleet.said('a', 'pause', '--fleet', '--route', 'wrok')).toMatch(
      /^64 .*no worker of the fleet has a route "wrok"; there are: work\n$/,
    )
    await end(first)
  })

  it('says of a route that no worker has any more that its pause is kept, until somebody resumes it', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const first = fleet.command('a', 'run')
    await says(first, 'worker.ready')
    expect(await fleet.said(OPERATOR, 'pause', '--fleet', '--route', 'work')).toMatch(/^0 /)
    expect(await fleet.said(OPERATOR, 'status', '--fleet')).toContain('\nthe route work is paused in the fleet (by ')
    await end(first)
    await mkdir(join(fleet.site.directory, 'renamed'))
    await writeFile(join(fleet.site.directory, 'renamed/other.js'), 'export default () => {}')
    const renamed = ['--set', 'handlers.directory=./renamed']
    const other = fleet.command('b', 'run', ...renamed)
    await says(other, 'worker.ready')
    const kept = 'the route work, which is not there, is paused in the fleet (by '
    const told = async (name: string, ...args: string[]): Promise<string> => await fleet.said(name, ...args)
    await until(
      async () => (await told(OPERATOR, 'status', '--fleet')).includes(`\n${kept}`),
      () => `it is said:\n${other.output}`,
    )
    expect(await told('b', 'status')).toContain(`\n${kept}`)
    const checked = await told('b', 'check', '--online', ...renamed)
    expect(checked).toContain(kept)
    expect(checked).toContain('→ clink-worker resume --fleet --route work ends it')
    expect(await told(OPERATOR, 'resume', '--fleet', '--route', 'work')).toMatch(/^0 resumed in the fleet default: /)
    expect(await told('b', 'check', '--online', ...renamed)).not.toContain('pauses')
    await end(other)
  })

  it('is none where there is no state.url, which the command says', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    for (const what of ['pause', 'resume']) {
      const alone = fleet.site.start(what, '--fleet')
      expect([await alone.exited, alone.output]).toEqual([78, expect.stringContaining('there is no state.url')])
    }
    expect(await fleet.said('a', 'pause', '--fleet', '--state', '.')).toMatch(/^64 /)
    expect(await fleet.said('a', 'pause', '--fleet', '--for', '400d')).toMatch(/^64 .*a year is the longest/)
  })
})
