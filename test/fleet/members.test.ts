import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Clink } from '../../src/clink/records.ts'
import { withNamesOfTheirOwn } from '../../src/fleet/members.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { DONE } from '../../src/ledger/table.ts'
import type { LedgerTables } from '../../src/ledger/tables.ts'
import { Member, spoilt, twoMembers } from '../support/fleet.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { clink } from '../support/sample-records.ts'
import { letter } from '../support/states.ts'

const { clink_id: id } = clink

const cluster = clusterOfFile()

async function two(context: Parameters<typeof needPostgres>[0]) {
  needPostgres(context)
  const url = await cluster.database()
  const parts = async (): Promise<string> =>
    await cluster.sql('SELECT clink, member, attempts FROM clink_worker.parts ORDER BY 2', url)
  return Object.assign(await twoMembers(url), { parts })
}

/** Tables whose writes are on the disk when `until` has resolved as well, as it is when they are made. */
function slowTables(disk: { until: Promise<void> }): LedgerTables {
  const slow = <T extends object>(table: T): T =>
    new Proxy(table, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...given: unknown[]): unknown => {
          const answer: unknown = Reflect.apply(value, target, given)
          return answer instanceof Promise ? Promise.all([answer, disk.until]).then(() => {}) : answer
        }
      },
    })
  const { attempts, claims, letters, untold, ...tables } = memoryTables()
  return { ...tables, attempts: slow(attempts), claims: slow(claims), letters: slow(letters), untold: slow(untold) }
}

const other = (clinkId: string): Clink => ({ ...clink, clink_id: clinkId })

describe('members of a fleet', () => {
  it('hear that another one has left, or is silent, once, and how long ago it was there', async (context) => {
    await using fleet = await two(context)
    const { a, b, url } = fleet
    const said: number[] = []
    b.fleet.departed.on((ago) => said.push(ago))
    await b.fleet.lookAgain()
    await cluster.sql(`UPDATE clink_worker.members SET seen = now() - interval '19 s' WHERE member = 'a'`, url)
    await b.fleet.lookAgain()
    expect(said).toEqual([])
    await cluster.sql(`UPDATE clink_worker.members SET seen = now() - interval '30 s' WHERE member = 'a'`, url)
    await b.fleet.lookAgain()
    // It may have lived on until it would have shown itself once more.
    expect(said).toEqual([expect.closeTo(25_000, -4)])
    await b.fleet.lookAgain()
    await a.fleet.lookAgain()
    await b.fleet.lookAgain()
    const c = await new Member('c', url).start()
    await b.fleet.lookAgain()
    expect(said).toHaveLength(1)
    await c.fleet.stop()
    await b.fleet.lookAgain()
    await b.fleet.lookAgain()
    expect(said.slice(1)).toEqual([0])
  })

  it('count the starts of a clink together, with their errors', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    const first = await a.take(clink)
    expect(await a.begin(clink)).toBe(1)
    await a.ledger.outcome(id, { is: 'error', message: 'by a', countsAttempt: true })
    await a.drop(first)
    await expect.poll(async () => await fleet.parts()).toContain('by a')
    const second = await b.take(clink)
    expect(second.tried).toMatchObject({ starts: 1, errors: ['by a'] })
    expect(second.mayHaveSteps).toBe(true)
    expect(await b.begin(clink)).toBe(2)
    // A start is counted before it happens.
    expect(await fleet.parts()).toMatch(/\|b\|.*"count":1/)
    expect(second.startsInFleet).toBe(2)
    await b.ledger.outcome(id, { is: 'error', message: 'by b', countsAttempt: true })
    await b.drop(second)
    await expect.poll(async () => await fleet.parts()).toContain('by b')
    expect((await a.take(clink)).tried).toMatchObject({ starts: 2, errors: ['by b', 'by a'] })
  })

  it('have names of their own where they run on one machine', () => {
    const one = { version: '1', seen: 0, age: 0, isSilent: false, signs: null }
    const all = [
      { ...one, member: '0123456789abcdef', name: 'host' },
      { ...one, member: 'fedcba9876543210', name: 'host' },
      { ...one, member: '00000000ffffffff', name: 'other' },
    ]
    expect(withNamesOfTheirOwn(all).map(({ name }) => name)).toEqual(['host (012345)', 'host (fedcba)', 'other'])
  })

  it('do not overwrite each other where code goes on beside a later claim', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.take(clink)
    await a.begin(clink)
    await b.take(clink)
    await b.begin(clink)
    await a.ledger.outcome(id, { is: 'not-counted' })
    await expect.poll(async () => await fleet.parts()).toMatch(/\|a\|.*"count":0/)
    expect(await fleet.parts()).toMatch(/\|b\|.*"count":1/)
  })

  it('send the result that another one has computed', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.take(clink)
    await a.begin(clink)
    await a.ledger.keepResult(clink, 'computed')
    await expect
      .poll(async () => await cluster.sql('SELECT result FROM clink_worker.parts', fleet.url))
      .toContain('computed')
    const memory = await b.take(clink)
    expect(memory.unconfirmed(clink)).toMatchObject({ response: 'computed' })
    expect(memory.unconfirmed({ ...clink, content: 'another one' })).toBeUndefined()
    await b.ledger.settled(clink)
    await expect.poll(async () => await fleet.parts()).toBe('')
    expect((await a.fleet.recall([id]), a.fleet.of(id))).toBe('none')
  })

  it('write no result that Clink has taken at once', async (context) => {
    await using fleet = await two(context)
    const { a } = fleet
    await cluster.sql(
      `CREATE TABLE results (result text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN IF NEW.result IS NOT NULL THEN INSERT INTO results VALUES (NEW.result); END IF; RETURN NEW; END';
       CREATE TRIGGER note BEFORE INSERT OR UPDATE ON clink_worker.parts FOR EACH ROW EXECUTE FUNCTION note()`,
      fleet.url,
    )
    await a.take(clink)
    await a.begin(clink)
    await a.ledger.keepResult(clink, 'computed')
    await a.ledger.settled(clink)
    await expect.poll(async () => await fleet.parts()).toBe('')
    expect(await cluster.sql('SELECT count(*) FROM results', fleet.url)).toBe('0')
  })

  it('never run the dead letter of another one, and any of them has it run again', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    const memory = await a.take(clink)
    await a.begin(clink)
    await a.ledger.deadLetter(letter)
    // The fleet knows before Clink is told.
    expect(await cluster.sql(`SELECT kind FROM clink_worker.notes`, fleet.url)).toBe('letters')
    await a.drop(memory)
    expect((await b.take(clink)).isGivenUp).toBe(true)
    expect(b.ledger.letters.count).toBe(1)
    expect(await b.ledger.retry(id)).toBe('done')
    const again = await a.take(clink)
    expect(again.isGivenUp).toBe(false)
    expect(again.tried.starts).toBe(0)
    expect(await a.ledger.retry(id)).toBe('done')
  })

  it('forget what they have done with a clink that another one has given up, and that is run again', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    const first = await a.take(clink)
    await a.begin(clink)
    await a.ledger.outcome(id, { is: 'error', message: 'by a', countsAttempt: true })
    await a.drop(first)
    await expect.poll(async () => await fleet.parts()).toContain('by a')
    expect((await a.take(clink)).tried).toMatchObject({ starts: 1, errors: ['by a'] })
    a.ledger.leave(await a.ledger.recallOne(id))
    const second = await b.take(clink)
    await b.begin(clink)
    await b.ledger.deadLetter(letter)
    await b.drop(second)
    expect(await b.ledger.retry(id)).toBe('done')
    const again = await a.take(clink)
    expect([again.isGivenUp, again.startsInFleet, again.tried.errors]).toEqual([false, 0, []])
    expect(await a.begin(clink)).toBe(1)
  })

  it('do not take a clink for given up that handlers have given back', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    const memory = await a.take(clink)
    await a.begin(clink)
    await a.ledger.outcome(id, { is: 'given-back-by-handler' })
    await a.drop(memory)
    await expect.poll(async () => await fleet.parts()).toContain('"released":1')
    expect(await b.take(clink)).toMatchObject({ startsInFleet: 0, tried: { starts: 1 } })
  })

  it('show each other what they have given up, and what was done about it', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.ledger.deadLetter(letter)
    await b.again()
    expect(b.ledger.letters.all()).toHaveLength(1)
    await b.ledger.letters.discard(id)
    await b.ledger.audit.note({ act: 'discard', by: 'ann' })
    await a.again()
    await a.again()
    expect(a.ledger.letters.all()).toEqual([])
    expect(a.ledger.letters.has(id)).toBe(true)
    expect(a.ledger.audit.all()).toMatchObject([{ act: 'discard', by: 'ann' }])
  })

  it('count no starts from before a retry that one of them could not tell before its crash, and those after it (P1, P10)', async (context) => {
    await using fleet = await two(context)
    const { a, b, url } = fleet
    const { member: c, store } = await spoilt(url, 'c')
    await c.ledger.deadLetter(letter)
    for (let n = 0; n < 2; n += 1) await a.begin(clink)
    await a.ledger.process.drop(id)
    store().writes = 'fail'
    await delay(20)
    expect(await c.ledger.retry(id)).toBe('done')
    // Its process is killed. Before the next one starts, another member has begun the clink.
    await c.fleet.stop()
    expect(await fleet.parts()).toContain('"count":2')
    await delay(20)
    await b.begin(clink)
    store().writes = 'work'
    await c.again()
    expect((await c.take(clink)).startsInFleet).toBe(1)
    expect(c.ledger.letters.has(id)).toBe(false)
    // Told once, it is not told again.
    await a.take(clink)
    await a.begin(clink)
    await c.again()
    expect((await c.take(clink)).startsInFleet).toBe(2)
    await c.fleet.stop()
  })

  it('leave alone what another one has given back a moment ago', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.ledger.cooling.set(id, 60_000)
    expect((await b.take(clink)).isCooling).toBe(true)
  })

  it('know what another one has sent', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.ledger.addOwn('reply', 5)
    await expect.poll(async () => (await b.take(other('reply'))).isOwn).toBe(true)
  })

  it('skip the steps that another one has done', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.take(clink)
    await a.begin(clink)
    await a.ledger.steps.keep(clink, { is: 'step', name: 'pay', value: '42' })
    const memory = await b.take(clink)
    expect(memory.mayHaveSteps).toBe(true)
    expect([...(await b.ledger.steps.of(clink)).values()]).toMatchObject([{ name: 'pay', value: '42' }])
    await b.begin(clink)
    await b.ledger.settled(clink)
    await expect.poll(async () => await cluster.sql('SELECT count(*) FROM clink_worker.steps', fleet.url)).toBe('0')
  })

  it('skip at the second start of a clink what another one has done unheard since the first, as where somebody gave it back by hand', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.take(clink)
    await a.begin(clink)
    expect([...(await a.ledger.steps.of(clink)).values()]).toEqual([])
    await b.take(clink)
    await b.begin(clink)
    await b.ledger.steps.keep(clink, { is: 'step', name: 'pay', value: '42' })
    await a.begin(clink)
    expect([...(await a.ledger.steps.of(clink)).values()]).toMatchObject([{ name: 'pay', value: '42' }])
  })

  it('look again before a start that has waited: another one may have begun the clink meanwhile, and done steps', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    const memory = await a.take(clink)
    await b.take(clink)
    await b.begin(clink)
    await b.ledger.steps.keep(clink, { is: 'step', name: 'pay', value: '42' })
    await expect.poll(() => a.ledger.isCurrent(memory)).toBe(false)
    expect([memory.startsOfOthers, memory.mayHaveSteps]).toEqual([0, false])
    await a.ledger.refresh(memory)
    expect([memory.startsOfOthers, memory.mayHaveSteps]).toEqual([1, true])
    await a.begin(clink)
    expect([...(await a.ledger.steps.of(clink)).values()]).toMatchObject([{ name: 'pay', value: '42' }])
  })

  it('count what they have done under a claim, though another one has settled the clink meanwhile, and under the next one no more', async (context) => {
    await using fleet = await two(context)
    const { a, b, parts } = fleet
    const memory = await a.take(clink)
    await a.begin(clink)
    await a.ledger.outcome(id, { is: 'error', message: 'it failed', countsAttempt: true })
    await b.take(clink)
    await b.ledger.settled(clink)
    await expect.poll(parts).toBe('')
    await expect.poll(() => a.ledger.isCurrent(memory)).toBe(false)
    await a.ledger.refresh(memory)
    expect(memory.tried).toMatchObject({ starts: 1, errors: ['it failed'] })
    await a.drop(memory)
    expect((await a.take(clink)).tried.starts).toBe(0)
  })

  it('show what they do soon after their start, before which there is nothing to show', async (context) => {
    await using fleet = await two(context)
    fleet.a.fleet.signs = () => ({
      pid: 7,
      isReady: true,
      reasons: [],
      inHand: 0,
      taken: 0,
      slots: 1,
      routes: [],
    })
    const shown = async (): Promise<string> =>
      await cluster.sql(`SELECT shows FROM clink_worker.members WHERE member = 'a'`, fleet.url)
    expect(await shown()).toBe('')
    await expect.poll(shown, { timeout: 3_000 }).toContain('"pid":7')
  })

  it('run again what they were asked to, and nothing that another one was', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.ledger.deadLetter({ ...letter, tell: 'complete' })
    expect(await a.ledger.retry(id)).toBe('rerun')
    await b.take(clink)
    expect(b.ledger.letters.reruns()).toEqual([])
    expect(a.ledger.letters.reruns()).toHaveLength(1)
    // Whoever had been asked is gone: another one is.
    expect(await b.ledger.retry(id)).toBe('rerun')
    expect(b.ledger.letters.reruns()).toHaveLength(1)
  })

  it('keep a result of another one that Clink takes from none of them, and send it when somebody retries (P5)', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    const memory = await a.take(clink)
    await b.take(clink)
    await b.begin(clink)
    await b.ledger.keepResult(clink, 'computed once')
    await expect
      .poll(async () => await cluster.sql('SELECT result FROM clink_worker.parts', fleet.url))
      .toContain('computed once')
    await a.ledger.deadLetter({ ...letter, tell: 'release' }, true)
    await a.drop(memory)
    expect(await a.ledger.retry(id)).toBe('done')
    expect((await b.take(clink)).unconfirmed(clink)?.response).toBe('computed once')
  })

  it('run again what their worker alone was asked to, and each other’s never (P3)', async (context) => {
    await using fleet = await two(context)
    const local = memoryTables()
    const alone = new Ledger(local)
    await alone.deadLetter({ ...letter, tell: 'complete' })
    expect(await alone.retry(id)).toBe('rerun')
    await using joined = await new Member('c', fleet.url, local).start()
    await fleet.b.take(clink)
    expect(joined.ledger.letters.reruns()).toHaveLength(1)
    expect([fleet.b.ledger.letters.get(id)?.rerun, fleet.b.ledger.letters.reruns()]).toEqual([
      { step: 'due', by: 'c' },
      [],
    ])
  })

  it('tell a new fleet all that was remembered without it', async (context) => {
    await using fleet = await two(context)
    const alone = new Member('alone', fleet.url)
    await alone.local.attempts.set(id, { count: 2, errors: ['before'], crashes: 0, at: 1 })
    await alone.local.letters.set('given up', { ...letter, clink: other('given up') })
    await using _ = await alone.start()
    await expect.poll(async () => await fleet.parts()).toContain('before')
    expect((await fleet.a.take(clink)).tried.starts).toBe(2)
    expect((await fleet.a.take(other('given up'))).isGivenUp).toBe(true)
  })
})

describe('after a crash between the two stores', () => {
  it('a member that starts has told the fleet of the claims that it goes on with before it goes on with them', async (context) => {
    await using fleet = await two(context)
    const { member } = await spoilt(fleet.url, 'c')
    await member.take(clink)
    await member.begin(clink)
    await member.again()
    expect(member.ledger.isHealthy).toBe(true)
    expect(member.health).toEqual([])
    await member.fleet.stop()
  })

  it('a start that the fleet was not told of has not happened, and is not told as one that came to nothing either', async (context) => {
    await using fleet = await two(context)
    const { member, store } = await spoilt(fleet.url, 'c')
    await member.take(clink)
    store().writes = 'fail'
    await member.begin(clink)
    // Whoever starts asks this then.
    expect(member.ledger.isHealthy).toBe(false)
    await member.again()
    await member.ledger.outcome(id, { is: 'excused' })
    await member.begin(other('another'))
    expect(await fleet.parts()).not.toContain(`${id}|`)
    expect((await fleet.b.take(clink)).startsInFleet).toBe(0)
    await member.fleet.stop()
  })

  it('a start that was told without an answer is counted once', async (context) => {
    await using fleet = await two(context)
    const { member, store } = await spoilt(fleet.url, 'c')
    await member.take(clink)
    store().writes = 'are-not-answered'
    await member.begin(clink)
    expect(member.ledger.isHealthy).toBe(false)
    store().writes = 'work'
    await expect.poll(() => member.ledger.isHealthy, { timeout: 5_000 }).toBe(true)
    expect((await fleet.b.take(clink)).tried.starts).toBe(1)
    await member.fleet.stop()
  })

  it('a result that the fleet was not told of is told at the next start', async (context) => {
    await using fleet = await two(context)
    const { member, store } = await spoilt(fleet.url, 'c')
    const memory = await member.take(clink)
    await member.begin(clink)
    store().writes = 'fail'
    await member.ledger.keepResult(clink, 'computed')
    await member.drop(memory)
    await member.again()
    await expect.poll(async () => (await fleet.b.take(clink)).result?.response).toBe('computed')
    await member.fleet.stop()
  })

  it('a dead letter that the fleet was not told of is told at the next start', async (context) => {
    await using fleet = await two(context)
    const { member, store } = await spoilt(fleet.url, 'c')
    const memory = await member.take(clink)
    await member.begin(clink)
    store().writes = 'fail'
    await member.ledger.deadLetter(letter)
    expect(member.ledger.isHealthy).toBe(false)
    await member.drop(memory)
    await member.again()
    await expect.poll(async () => (await fleet.b.take(clink)).isGivenUp).toBe(true)
    await member.fleet.stop()
  })

  it('a dead letter that was not written here when the process and its disk were lost leaves the starts to count', async (context) => {
    await using fleet = await two(context)
    const { b, url } = fleet
    const disk = { until: DONE }
    await using member = await new Member('c', url, slowTables(disk)).start()
    await b.take(clink)
    await b.begin(clink)
    await member.take(clink)
    await member.begin(clink)
    const { promise, resolve: write } = Promise.withResolvers<void>()
    disk.until = promise
    const known = member.ledger.deadLetter(letter)
    disk.until = DONE
    // What is to be told goes with what is told next.
    await member.begin(other('another'))
    expect((await b.take(clink)).isGivenUp).toBe(false)
    expect(await fleet.parts()).toMatch(/msg_1\|b\|[^]*msg_1\|c\|/)
    write()
    await known
    expect((await b.take(clink)).isGivenUp).toBe(true)
    expect(await fleet.parts()).not.toContain(`${id}|`)
  })

  it('starts that an operator has forgiven since do not count again when their member comes back', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    for (let start = 1; start <= 2; start += 1) {
      await a.take(clink)
      await a.begin(clink)
    }
    await a.fleet.stop()
    await b.take(clink)
    await b.begin(clink)
    await b.ledger.deadLetter(letter)
    await b.ledger.retry(id)
    await a.again()
    expect((await b.take(clink)).tried.starts).toBe(0)
    expect(await fleet.parts()).not.toContain(`${id}|a|`)
    expect((await a.take(clink)).tried.starts).toBe(0)
  })

  it('the first start of a rerun that was not written here when the process was killed is not told: the others would wait for its end', async (context) => {
    await using fleet = await two(context)
    const disk = { until: DONE }
    await using member = await new Member('c', fleet.url, slowTables(disk)).start()
    const { promise, resolve: write } = Promise.withResolvers<void>()
    disk.until = promise
    const begun = member.ledger.begin({ letter: id })
    disk.until = DONE
    await member.begin(other('another'))
    expect(await fleet.parts()).not.toContain(`${id}|`)
    write()
    await begun
    await expect.poll(async () => await fleet.parts()).toContain(`${id}|c|`)
  })

  it('what changes while the fleet is told how it was is marked until the fleet was told of that as well', async (context) => {
    await using fleet = await two(context)
    const disk = { until: DONE }
    const local = slowTables(disk)
    await using member = await new Member('c', fleet.url, local).start()
    const { promise, resolve: write } = Promise.withResolvers<void>()
    const first = member.ledger.deadLetter(letter)
    disk.until = promise
    const changed = member.ledger.letters.add({ ...letter, reason: 'another one' })
    disk.until = DONE
    await first
    expect(local.untold.get(`letters ${id}`)).toBeDefined()
    write()
    await changed
    expect(local.untold.get(`letters ${id}`)).toBeUndefined()
  })

  it('a letter that another one has had run again meanwhile is not brought back by a look at it', async (context) => {
    await using fleet = await two(context)
    const { member, store } = await spoilt(fleet.url, 'c')
    await member.ledger.deadLetter(letter)
    store().writes = 'fail'
    await member.ledger.sightings.see(id)
    await fleet.b.take(clink)
    await fleet.b.ledger.retry(id)
    store().writes = 'work'
    await expect.poll(() => member.ledger.isHealthy, { timeout: 5_000 }).toBe(true)
    expect((await fleet.b.take(clink)).isGivenUp).toBe(false)
    await member.fleet.stop()
  })

  it('a copy of a state directory does not count what was told by the one that it was copied from', async (context) => {
    await using fleet = await two(context)
    const { a } = fleet
    const memory = await a.take(clink)
    await a.begin(clink)
    await a.drop(memory)
    await expect.poll(async () => await fleet.parts()).toContain('|a|')
    const copy = new Member('copy', fleet.url, a.local, undefined, true)
    await copy.start()
    expect((await copy.take(clink)).tried.starts).toBe(1)
    await copy.fleet.stop()
  })
})

describe('while the store is away', () => {
  it('nothing starts, what is noted is kept, and all goes on by itself', async (context) => {
    await using fleet = await two(context)
    const { member, store } = await spoilt(fleet.url, 'c')
    store().writes = 'fail'
    await member.ledger.cooling.set('one', 60_000)
    await expect.poll(() => member.ledger.isHealthy).toBe(false)
    expect(member.fleet.problem).toMatch(/^the shared store .*: it is away$/)
    // What could not be read may not be started.
    const memory = await member.take(clink)
    expect([memory.isCurrent, member.ledger.mayStart(memory)]).toEqual([false, false])
    await member.ledger.keepResult(clink, 'kept here')
    expect(memory.result?.response).toBe('kept here')
    store().writes = 'work'
    await expect.poll(() => member.ledger.isHealthy, { timeout: 5_000 }).toBe(true)
    await member.ledger.refresh(memory)
    expect(member.ledger.mayStart(memory)).toBe(true)
    expect(member.health).toEqual([expect.stringContaining('it is away'), undefined])
    await expect.poll(async () => (await fleet.b.take(other('one'))).isCooling).toBe(true)
    await member.fleet.stop()
  })

  it('a step waits until the fleet knows it', async (context) => {
    await using fleet = await two(context)
    const { member, store } = await spoilt(fleet.url, 'c')
    await member.take(clink)
    await member.begin(clink)
    store().writes = 'fail'
    let isKept = false
    const kept = member.ledger.steps.keep(clink, { is: 'step', name: 'pay', value: '42' }).then(() => (isKept = true))
    await expect.poll(() => member.ledger.isHealthy).toBe(false)
    expect(isKept).toBe(false)
    store().writes = 'work'
    await kept
    expect(await cluster.sql('SELECT value FROM clink_worker.steps', fleet.url)).toBe('42')
    await member.fleet.stop()
  })

  it('data that PostgreSQL does not take keeps nothing else from it', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await Promise.all([a.ledger.cooling.set('a\0b', 60_000), a.ledger.cooling.set('fine', 60_000)])
    expect((await b.take(other('fine'))).isCooling).toBe(true)
    expect(a.ledger.isHealthy).toBe(true)
  })
})
