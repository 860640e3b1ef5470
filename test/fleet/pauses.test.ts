import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { changePauses, membersOf, type PauseChange } from '../../src/fleet/open.ts'
import { VERSION } from '../../src/fleet/postgres-schema.ts'
import type { SharedStore } from '../../src/fleet/store.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { Member, twoMembers } from '../support/fleet.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'

const cluster = clusterOfFile()

async function two(context: Parameters<typeof needPostgres>[0]) {
  needPostgres(context)
  const fleet = await twoMembers(await cluster.database())
  const url = new Secret(fleet.url)
  const ask = async (change: PauseChange, name = 'one') => await changePauses(url, name, change)
  return Object.assign(fleet, {
    pause: async (pause: Partial<PauseChange['pause']> = {}, name?: string) =>
      await ask({ pause: { by: 'ann', ...pause }, act: { act: 'pause', by: 'ann', about: 'the fleet' } }, name),
    resume: async (route?: string) => await ask({ route, act: { act: 'resume', by: 'bob' } }),
    sql: async (sql: string) => await cluster.sql(sql, fleet.url),
  })
}

describe('a pause of a fleet', () => {
  it('is seen by its members with their next look, and by those that start, until it is ended', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    expect(a.fleet.pauses.list()).toEqual([])
    expect(await fleet.pause({ note: 'moving' })).toEqual({ was: true, routes: [null] })
    expect(await fleet.pause({ route: 'work' })).toEqual({ was: true, routes: [null, 'work'] })
    await b.again()
    const stand = [
      { by: 'ann', note: 'moving', left: undefined },
      { by: 'ann', route: 'work', left: undefined },
    ]
    expect(b.fleet.pauses.list()).toMatchObject(stand)
    await expect.poll(() => a.fleet.pauses.list(), { timeout: 7_000 }).toMatchObject(stand)
    expect(await fleet.resume()).toEqual({ was: true, routes: ['work'] })
    expect(await fleet.resume()).toEqual({ was: false, routes: ['work'] })
    expect(await fleet.resume('work')).toEqual({ was: true, routes: [] })
    await expect.poll(() => a.fleet.pauses.list(), { timeout: 7_000 }).toEqual([])
    // Who did it: each act once, and none that changed nothing.
    await expect.poll(() => a.ledger.audit.all().map(({ act }) => act)).toEqual(['pause', 'pause', 'resume', 'resume'])
  })

  it('lasts by the clock of the store, and one that is set anew replaces it', async (context) => {
    await using fleet = await two(context)
    await fleet.pause({ for: 60_000 })
    await fleet.b.again()
    const [pause] = fleet.b.fleet.pauses.list() ?? []
    expect(pause?.left).toBeGreaterThan(50_000)
    expect(pause?.left).toBeLessThanOrEqual(60_000)
    // A minute later, for whoever looks then.
    await fleet.sql(`UPDATE clink_worker.notes SET at = at - interval '1 minute' WHERE kind = 'pauses'`)
    await fleet.b.again()
    expect(fleet.b.fleet.pauses.list()).toEqual([])
    expect(await fleet.resume()).toEqual({ was: false, routes: [] })
    await fleet.b.fleet.prune(0)
    expect(await fleet.sql(`SELECT count(*) FROM clink_worker.notes WHERE kind = 'pauses'`)).toBe('0')
    await fleet.pause({ for: 60_000 })
    expect(await fleet.pause()).toEqual({ was: true, routes: [null] })
    expect((await membersOf(new Secret(fleet.url), 'one')).pauses).toMatchObject([{ by: 'ann', left: undefined }])
  })

  it('is read whatever somebody says about it', async (context) => {
    await using fleet = await two(context)
    const note = 'as {"for":1}, \0 and \ud800'
    await fleet.pause({ note })
    await fleet.b.again()
    expect([fleet.b.fleet.problem, fleet.b.fleet.pauses.list()]).toMatchObject([undefined, [{ note, left: undefined }]])
  })

  it('is read by a process before it starts anything, also where it has told the store something before that', async (context) => {
    await using fleet = await two(context)
    await fleet.pause()
    const late = Promise.withResolvers<void>()
    let reads = 0
    await using member = new Member('c', fleet.url, memoryTables(), (real) => {
      const changes = real.changes.bind(real)
      const spoilt: SharedStore['changes'] = async (after) => {
        reads += 1
        if (reads === 2) await late.promise
        if (reads <= 2) throw new Error('it is away')
        return await changes(after)
      }
      return Object.assign(real, { changes: spoilt })
    })
    await member.local.cooling.set('told', { at: 1, for: 1 })
    await member.start()
    const told = `SELECT count(*) FROM clink_worker.notes WHERE id = 'told'`
    await expect.poll(async () => await fleet.sql(told), { timeout: 5_000 }).toBe('1')
    expect([member.fleet.isHealthy, member.health]).toEqual([false, [expect.stringContaining('it is away')]])
    late.resolve()
    await expect.poll(() => member.fleet.isHealthy, { timeout: 5_000 }).toBe(true)
    expect(member.health).toEqual([expect.any(String), undefined])
    expect(member.fleet.pauses.list()).toMatchObject([{ by: 'ann' }])
  })

  it('is of one fleet, and is nobody else’s', async (context) => {
    await using fleet = await two(context)
    await fleet.pause({}, 'another one')
    await fleet.b.again()
    expect(fleet.b.fleet.pauses.list()).toEqual([])
  })

  it('names a route that one of its workers has, where these say which they have', async (context) => {
    await using fleet = await two(context)
    // Nobody knows which routes these have.
    expect(await fleet.pause({ route: 'wrok' })).toMatchObject({ was: true })
    const signs = { pid: 1, isReady: true, reasons: [], inHand: 0, taken: 0, slots: 1 }
    for (const member of [fleet.a, fleet.b]) {
      await member.fleet.stop()
      await member.again()
      await fleet.sql(
        `UPDATE clink_worker.members SET shows = '${JSON.stringify({ ...signs, routes: [{ name: member.name, waits: [] }] })}' WHERE member = '${member.name}'`,
      )
    }
    await expect(fleet.pause({ route: 'wrok' })).rejects.toMatchObject({
      code: 'USAGE',
      message: 'no worker of the fleet has a route "wrok"; there are: a, b',
    })
    expect(await fleet.pause({ route: 'b' })).toMatchObject({ was: true })
    await expect(fleet.resume('wrkk')).rejects.toMatchObject({
      code: 'USAGE',
      message: 'no worker of the fleet has a route "wrkk"; there are: a, b',
    })
    expect(await fleet.resume('a')).toMatchObject({ was: false })
    // Paused before anybody said which routes there are: none has it, and it can be resumed.
    expect(await fleet.resume('wrok')).toMatchObject({ was: true })
  })

  it('can be made before its first member starts, which goes by it', async (context) => {
    needPostgres(context)
    const url = await cluster.database()
    const pause = {
      pause: { by: 'ann', note: 'before' },
      act: { act: 'pause', by: 'ann', about: 'the fleet' },
    } as const
    expect(await changePauses(new Secret(url), 'one', pause)).toEqual({ was: true, routes: [null] })
    expect((await membersOf(new Secret(url), 'one')).members).toEqual([])
    await using fleet = await twoMembers(url)
    expect(fleet.a.fleet.pauses.list()).toMatchObject([{ by: 'ann', note: 'before' }])
  })

  it('is refused where the store is away or too new, and its end where it was not used yet', async (context) => {
    await using fleet = await two(context)
    const change = { pause: { by: 'ann' }, act: { act: 'pause', by: 'ann' } } as const
    await expect(changePauses(new Secret('postgresql://me:hidden@127.0.0.1:1/base'), 'one', change)).rejects.toThrow(
      /^127\.0\.0\.1:1\/base: nothing listens there$/,
    )
    const resume = { act: { act: 'resume', by: 'ann' } } as const
    await expect(changePauses(new Secret(await cluster.database()), 'one', resume)).rejects.toThrow(
      /holds nothing yet, so nothing is paused: no worker of a fleet has been there$/,
    )
    await fleet.sql(`UPDATE clink_worker.meta SET needs = ${VERSION + 1}`)
    await expect(fleet.pause()).rejects.toThrow(/made for a newer clink-worker/)
  })

  it('is no dead letter, no act and no clink to members that do not know of it', async (context) => {
    await using fleet = await two(context)
    await fleet.pause({ route: 'work' })
    // What the version before asks for.
    const asked = `SELECT kind FROM clink_worker.notes WHERE kind IN ('letters', 'cooling', 'own', 'audit')`
    expect(await fleet.sql(asked)).toBe('audit')
    expect(await fleet.sql('SELECT version FROM clink_worker.meta')).toBe(String(VERSION))
  })
})
