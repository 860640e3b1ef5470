import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { FleetSite, PASSWORD } from '../support/fleet-site.ts'
import { clusterOfFile } from '../support/postgres.ts'
import { times } from '../support/record.ts'
import { until } from '../support/until.ts'
import type { Command } from '../support/command.ts'

const cluster = clusterOfFile()

async function kill(command: Command): Promise<void> {
  command.signal('SIGKILL')
  await command.exited
}

describe('a fleet of real processes', { timeout: 90_000 }, () => {
  it('tries a clink as often as the configuration says, though members are killed and never come back', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const { site } = fleet
    const id = fleet.send('hangs')
    for (const name of ['a', 'b', 'c']) {
      const worker = fleet.command(name, 'run')
      await until(
        async () => (await site.noted()).some((line) => line.endsWith(name)),
        () => `${name} starts it:\n${worker.output}`,
      )
      await kill(worker)
    }
    const last = fleet.command('d', 'run')
    await until(
      () => last.output.includes('clink.deadLettered'),
      () => `it is given up:\n${last.output}`,
    )
    expect(await site.noted()).toEqual(['hangs 1 a', 'hangs 2 b', 'hangs 3 c'])
    expect(await fleet.said('d', 'failed', 'show', id)).toMatch(/started 3 times in the fleet/)
  })

  it('sends the result that a member has computed before it was killed, and does not compute it again', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const { site } = fleet
    const away = site.fault({ operation: 'complete_clink' }, { status: 503 })
    const id = fleet.send('quick')
    const first = fleet.command('a', 'run')
    await until(
      () => away.hits > 1,
      () => `it is computed:\n${first.output}`,
    )
    await kill(first)
    away.remove()
    const second = fleet.command('b', 'run')
    await until(
      () => site.emulator.clink(id)?.status === 'completed',
      () => `the other one sends it:\n${second.output}`,
    )
    expect(await site.noted()).toEqual(['quick 1 a'])
    expect(second.output).toContain('clink.replayed')
    expect(times(site.emulator, id, 'completed')).toBe(1)
  })

  it('shows its members by status --fleet: what each does, one that was killed, and none that has left', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    fleet.send('waits')
    const [first, second] = [fleet.command('a', 'run'), fleet.command('b', 'run')]
    const members = async () => {
      const [, json = ''] = (await fleet.said('c', 'status', '--fleet', '--json')).split(/^\d+ /)
      return (JSON.parse(json) as { members: { signs: { pid: number; inHand: number } | null }[] }).members
    }
    const inHand = async (): Promise<number> =>
      (await members()).reduce((sum, { signs }) => sum + (signs?.inHand ?? 0), 0)
    await until(
      async () => (await members()).length === 2 && (await inHand()) === 1,
      () => `both are there:\n${first.output}${second.output}`,
    )
    const text = await fleet.said('c', 'status', '--fleet')
    expect(text).toMatch(/^0 fleet default · \/.*\n\nNAME +PID +VERSION +STATE/)
    expect(text.match(/ ready +[01] +[01] of 4 +.* ago +work/g)).toHaveLength(2)
    expect(text).not.toContain(PASSWORD)
    await kill(first)
    second.signal('SIGTERM')
    await second.exited
    expect((await members()).map(({ signs }) => signs?.pid)).toEqual([first.pid])
  })

  it('works what a member had that is killed and does not come back, though the next sweep is minutes away', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const { site } = fleet
    await appendFile(join(site.directory, 'clink-worker.yaml'), 'inbox: { claim: select }\n')
    const id = fleet.send('steps')
    const first = fleet.command('a', 'run')
    await until(
      async () => (await site.noted()).includes('paid by a'),
      () => `one runs it:\n${first.output}`,
    )
    const second = fleet.command('b', 'run')
    await until(
      async () => {
        fleet.send('quick')
        await delay(200)
        return (await site.noted()).includes('quick 1 b')
      },
      () => `another one has looked at everything, and claims what it chooses:\n${second.output}`,
    )
    await kill(first)
    await until(
      () => site.emulator.clink(id)?.status === 'completed',
      () => `the other one goes on:\n${second.output}`,
      60_000,
    )
    const noted = (await site.noted()).filter((line) => !line.startsWith('quick'))
    expect(noted).toEqual(['steps 1 a', 'paid by a', 'steps 2 b'])
  })

  it('skips the steps that a member has done before it was killed', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const { site } = fleet
    const id = fleet.send('steps')
    const first = fleet.command('a', 'run')
    await until(
      async () => (await site.noted()).includes('paid by a'),
      () => `the step is done:\n${first.output}`,
    )
    await until(
      async () => (await cluster.sql('SELECT count(*) FROM clink_worker.steps', fleet.url)) === '1',
      () => `the fleet knows:\n${first.output}`,
    )
    await kill(first)
    const second = fleet.command('b', 'run')
    await until(
      () => site.emulator.clink(id)?.status === 'completed',
      () => `the other one goes on:\n${second.output}`,
    )
    expect(await site.noted()).toEqual(['steps 1 a', 'paid by a', 'steps 2 b'])
  })

  it('never runs the dead letter of another member, until somebody asks any of them to', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const { site } = fleet
    const id = fleet.send('poison')
    const workers = ['a', 'b'].map((name) => fleet.command(name, 'run'))
    const all = (): string => workers.map(({ output }) => output).join('\n')
    await until(
      () => all().includes('clink.deadLettered'),
      () => `it is given up:\n${all()}`,
    )
    await until(
      () => all().includes('given-up'),
      () => `it is left alone:\n${all()}`,
    )
    expect(await site.noted()).toHaveLength(3)
    const [, others = workers[0]] = workers
    // The one that did not give it up learns of it within seconds.
    for (const name of ['a', 'b'])
      await until(
        async () => (await fleet.said(name, 'failed', 'list')).includes(id),
        () => `${name} lists it:\n${all()}`,
      )
    others?.signal('SIGTERM')
    await others?.exited
    // Where no worker runs, the command takes its place in the fleet.
    expect(await fleet.said('b', 'failed', 'retry', id)).toMatch(/^0 /)
    await until(
      async () => (await site.noted()).length === 6,
      () => `it is tried three times more:\n${all()}`,
    )
    expect((await site.noted()).slice(3).map((line) => line.split(' ')[1])).toEqual(['1', '2', '3'])
    const alone = site.start('failed', 'list', '--state', `${site.directory}/state-b`)
    expect([await alone.exited, alone.output]).toEqual([
      78,
      expect.stringContaining('belongs to a member of the fleet'),
    ])
  })

  it('starts nothing while the database is away, ends what runs, and goes on by itself', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const { site } = fleet
    const running = fleet.send('waits')
    const worker = fleet.command('a', 'run')
    await until(
      async () => (await site.noted()).length === 1,
      () => `it runs:\n${worker.output}`,
    )
    await cluster.stop()
    try {
      await until(
        () => worker.output.includes('store.failed'),
        () => `it is said:\n${worker.output}`,
      )
      const waiting = fleet.send('later')
      await site.write('notes.txt.go')
      await until(
        () => site.emulator.clink(running)?.status === 'completed',
        () => `what runs is completed:\n${worker.output}`,
      )
      expect(await fleet.said('a', 'health', 'ready')).toMatch(/the shared store/)
      expect(await fleet.said('a', 'health', 'live')).toMatch(/^0 /)
      expect(site.emulator.clink(waiting)?.status).toBe('pending')
      expect(await site.noted()).toHaveLength(1)
    } finally {
      await cluster.start()
    }
    await until(
      async () => (await site.noted()).includes('later 1 a'),
      () => `it goes on:\n${worker.output}`,
    )
    worker.signal('SIGTERM')
    expect(await worker.exited, worker.output).toBe(0)
    expect(worker.output).toContain('store.recovered')
  })

  it('shows its password nowhere', async (context) => {
    await using fleet = await FleetSite.open(context, cluster)
    const wrong = `postgresql://me:${PASSWORD}@127.0.0.1:1/base`
    const worker = fleet.site.startWith({ CLINK_STATE_URL: wrong, STATE_DIRECTORY: `${fleet.site.directory}/x` }, 'run')
    await until(
      () => worker.output.includes('store.failed'),
      () => `it is said:\n${worker.output}`,
    )
    const check = fleet.site.startWith({ CLINK_STATE_URL: wrong }, 'check', '--online')
    expect(await check.exited).toBe(75)
    expect(check.output).toMatch(/store +failed +.*nothing listens there/)
    const status = await fleet.said('x', 'status', '--json')
    for (const said of [worker.output, check.output, status]) expect(said).not.toContain(PASSWORD)
    expect(await fleet.said('a', 'check', '--online')).toMatch(/store +ok +.*fleet default/)
  })
})
