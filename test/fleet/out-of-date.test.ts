import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Member, Spoilt, twoMembers } from '../support/fleet.ts'
import type { SharedStore } from '../../src/fleet/store.ts'
import { whatKeeps } from '../../src/ledger/away.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { clink } from '../support/sample-records.ts'
import { letter } from '../support/states.ts'

const { clink_id: id } = clink

const cluster = clusterOfFile()
const completed = { ...letter, tell: 'complete' as const }

async function two(context: Parameters<typeof needPostgres>[0]) {
  needPostgres(context)
  return await twoMembers(await cluster.database())
}

/** The member leaves the clink alone for a moment, the other one hears of it, and that is over. */
async function coolForAMoment(a: Member, b: Member): Promise<void> {
  await a.ledger.cooling.set(id, 1)
  await b.take(clink)
  await sleep(10)
}

describe('a member that knows what another one has changed since', () => {
  it('leaves a clink alone anew of which the other one has forgotten that it was left alone before', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await coolForAMoment(a, b)
    await b.ledger.prune(1_000)
    await a.ledger.cooling.set(id, 60_000)
    expect((await b.take(clink)).isCooling).toBe(true)
  })

  it('gives a clink back that it has claimed by a list from before the other one gave it back', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    const memory = await b.take(clink)
    await b.drop(memory)
    expect(memory.whyGivenBack(clink)).toBeUndefined()
    await a.ledger.cooling.set(id, 60_000)
    b.ledger.outdated(id)
    const claimed = b.ledger.work(await b.ledger.recallOne(id))
    expect(claimed.whyGivenBack(clink)).toBeUndefined()
    await b.ledger.refresh(claimed)
    expect(claimed.whyGivenBack(clink)).toBe('another worker has given it back a moment ago')
  })

  it.for(['of an earlier look at it', 'of an earlier claim, whose code goes on'])(
    'starts nothing by what it knows %s, where the store cannot be read since it has claimed the clink',
    async (since, context) => {
      await using fleet = await two(context)
      const { b, url } = fleet
      let store: Spoilt | undefined
      await using member = new Member('c', url, undefined, (real) => (store = new Spoilt(real)))
      await member.start()
      await member.ledger.recall([id])
      const before = await member.ledger.recallOne(id)
      expect(before.isCurrent).toBe(true)
      if (since !== 'of an earlier look at it') member.ledger.work(before)
      if (store !== undefined) store.writes = 'fail'
      await member.ledger.cooling.set('another', 60_000)
      await expect.poll(() => member.ledger.isHealthy).toBe(false)
      const ofB = await b.take(clink)
      await b.begin(clink)
      await b.drop(ofB)
      // The page of a poll that has claimed it is recalled.
      await member.ledger.recall([id])
      const memory = member.ledger.work(await member.ledger.recallOne(id))
      expect(memory.isCurrent).toBe(false)
      if (store !== undefined) store.writes = 'work'
      await expect.poll(() => member.ledger.isHealthy, { timeout: 5_000 }).toBe(true)
      expect(member.ledger.mayStart(memory)).toBe(false)
      await member.ledger.refresh(memory)
      expect([member.ledger.mayStart(memory), memory.tried.starts]).toEqual([true, 1])
    },
  )

  it('tells once more that it has given a clink up, and the start counts that the other one has begun since', async (context) => {
    await using fleet = await two(context)
    const { b, url } = fleet
    let store: Spoilt | undefined
    await using member = new Member('c', url, undefined, (real) => (store = new Spoilt(real)))
    await member.start()
    if (store !== undefined) store.writes = 'are-not-answered'
    await member.ledger.deadLetter(letter)
    expect(await b.ledger.retry(id)).toBe('done')
    const memory = await b.take(clink)
    await b.begin(clink)
    if (store !== undefined) store.writes = 'work'
    await expect.poll(() => member.ledger.isHealthy, { timeout: 5_000 }).toBe(true)
    await b.ledger.refresh(memory, true)
    expect([memory.isGivenUp, memory.tried.starts]).toEqual([false, 1])
  })

  it('forgets for nobody else what is over by what it knows', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await coolForAMoment(a, b)
    await a.ledger.cooling.set(id, 60_000)
    await b.ledger.prune(1_000)
    expect((await b.take(clink)).isCooling).toBe(true)
  })

  it('does not bring back a letter at its next start that the other one has had run again', async (context) => {
    await using fleet = await two(context)
    const { b, url } = fleet
    let store: Spoilt | undefined
    const member = await new Member('c', url, undefined, (real) => (store = new Spoilt(real))).start()
    await member.ledger.deadLetter(letter)
    if (store !== undefined) store.writes = 'fail'
    await member.ledger.sightings.see(id)
    await member.fleet.stop()
    await b.take(clink)
    expect(await b.ledger.retry(id)).toBe('done')
    await member.again()
    await member.ledger.audit.note({ act: 'reload', by: 'ann' })
    await expect
      .poll(async () => await cluster.sql(`SELECT count(*) FROM clink_worker.notes WHERE kind = 'audit'`, url))
      .toBe('1')
    expect((await b.take(clink)).isGivenUp).toBe(false)
    await member.fleet.stop()
  })

  it('discards no letter that the other one has had run again', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.ledger.deadLetter(letter)
    await b.take(clink)
    expect(await a.ledger.retry(id)).toBe('done')
    expect(await b.ledger.discard(id)).toBe('unknown')
  })
})

describe('a letter that is run again without a claim', () => {
  it('is taken over by no other member once that has begun, not while it waits for its next start either', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.ledger.deadLetter(completed)
    await a.ledger.retry(id)
    await a.ledger.begin({ letter: id })
    await a.ledger.letters.noteRerun(id, { step: 'due', notBefore: Date.now() + 60_000 })
    await expect.poll(async () => (await b.take(clink)).others?.attempts.count).toBe(1)
    expect(await b.ledger.retry(id)).toBe('elsewhere')
    expect([a, b].map(({ ledger }) => ledger.letters.reruns().length)).toEqual([1, 0])
  })

  it('is begun though another one tells late what it had started before', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.take(clink)
    await a.begin(clink)
    await b.take(clink)
    await b.ledger.deadLetter(completed)
    await a.begin(clink)
    await expect.poll(async () => (await b.take(clink)).others?.attempts.count).toBe(2)
    expect(await b.ledger.retry(id)).toBe('rerun')
    const memory = await b.take(clink)
    expect([b.ledger.mayStart(memory), memory.startsInFleet]).toEqual([true, 0])
    expect(await b.ledger.begin({ letter: id })).toBe(1)
    await b.ledger.refresh(memory, true)
    expect(b.ledger.letters.isElsewhere(memory)).toBe(false)
    // And the other one is told that it has begun.
    await a.ledger.recall([id])
    expect((await a.ledger.recallOne(id)).others?.begun).toEqual([{ letter: completed.at, by: 'b' }])
  })

  it('is run as one that was never started, where its member crashed before the fleet knew that it had failed', async (context) => {
    needPostgres(context)
    const url = await cluster.database()
    let store: Spoilt | undefined
    await using a = await new Member('a', url, undefined, (real) => (store = new Spoilt(real))).start()
    await using b = await new Member('b', url).start()
    await a.take(clink)
    await a.begin(clink)
    if (store !== undefined) store.writes = 'fail'
    await a.ledger.outcome(id, { is: 'error', message: 'it failed', countsAttempt: true })
    await a.ledger.deadLetter(completed)
    await a.fleet.stop()
    await a.again()
    await expect.poll(async () => (await b.take(clink)).isGivenUp).toBe(true)
    expect(await b.ledger.retry(id)).toBe('rerun')
    const memory = await b.take(clink)
    expect([memory.startsInFleet, memory.tried.errors]).toEqual([0, []])
    expect(await b.ledger.begin({ letter: id })).toBe(1)
    expect([memory.startsInFleet, b.ledger.mayStart(memory)]).toEqual([1, true])
  })

  it('is run so as well by the member that tells late what it had started before', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.drop(await a.take(clink))
    await a.begin(clink)
    await b.take(clink)
    await b.ledger.deadLetter(completed)
    await a.begin(clink)
    await expect.poll(async () => (await b.take(clink)).others?.attempts.count).toBe(2)
    expect(await a.ledger.retry(id)).toBe('rerun')
    const memory = await a.take(clink)
    expect([memory.attempts.count, memory.startsInFleet]).toEqual([2, 0])
    expect(await a.ledger.begin({ letter: id })).toBe(1)
  })

  it.for(['at its next start', 'before it ended'])(
    'is begun by the one that was asked last, though the other one has begun it unheard, crashed, and comes back: it learns of that %s',
    async (when, context) => {
      needPostgres(context)
      const url = await cluster.database()
      let spoilt: Spoilt | undefined
      const spoil = (real: SharedStore): SharedStore => (spoilt = new Spoilt(real))
      await using a = await new Member('a', url, undefined, spoil).start()
      await using b = await new Member('b', url).start()
      await a.ledger.deadLetter(completed)
      await b.take(clink)
      await a.ledger.retry(id)
      if (spoilt !== undefined) spoilt.writes = 'fail'
      await a.ledger.begin({ letter: id })
      expect(await b.ledger.retry(id)).toBe('rerun')
      if (when === 'before it ended') await a.ledger.recall([id])
      await a.again()
      await a.ledger.recall([id])
      await expect.poll(() => a.ledger.letters.reruns(), { timeout: 8_000 }).toEqual([])
      await expect.poll(async () => (await b.take(clink)).others?.begun, { timeout: 8_000 }).toEqual([])
      const memory = await b.take(clink)
      expect(memory.others?.attempts.count).toBe(1)
      expect(b.ledger.mayStart(memory)).toBe(true)
    },
  )

  it.for(['due', 'running', 'sending'] as const)(
    'is taken over, at %s, from a member that has begun it and was not seen for long, where an operator asks for that',
    async (step, context) => {
      needPostgres(context)
      const url = await cluster.database()
      const a = await new Member('a', url).start()
      await using b = await new Member('b', url).start()
      await a.ledger.deadLetter(completed)
      await a.ledger.retry(id)
      await a.ledger.begin({ letter: id })
      await a.ledger.letters.noteRerun(id, { step, ...(step === 'sending' && { response: 'x' }) })
      await expect.poll(async () => (await b.take(clink)).others?.begun.length).toBe(1)
      expect(await b.ledger.retry(id)).toBe('elsewhere')
      expect(b.ledger.letters.reruns()).toEqual([])
      await a.fleet.stop()
      const silent = `INSERT INTO clink_worker.members (fleet, member, name, version, seen) VALUES ('one', 'a', 'a', '1.0.0', now() - interval '1 minute')`
      await cluster.sql(silent, url)
      expect(await b.ledger.retry(id)).toBe('rerun')
      const left = step === 'sending' ? { step: 'unknown', response: 'x', by: 'b' } : { step: 'due', by: 'b' }
      expect(b.ledger.letters.get(id)?.rerun).toEqual(left)
      if (step !== 'sending') expect(b.ledger.mayStart(await b.take(clink))).toBe(true)
    },
  )

  it('waits at one that was asked while the store was away, where another one has begun it: asked again, that one takes it over', async (context) => {
    needPostgres(context)
    const url = await cluster.database()
    const a = await new Member('a', url).start()
    let spoilt: Spoilt | undefined
    await using b = await new Member('b', url, undefined, (real) => (spoilt = new Spoilt(real))).start()
    await a.ledger.deadLetter(completed)
    await a.ledger.retry(id)
    await a.ledger.begin({ letter: id })
    await a.ledger.letters.noteRerun(id, { step: 'due' })
    await b.ledger.recall([id])
    expect(b.ledger.letters.get(id)?.rerun?.by).toBe('a')
    await a.fleet.stop()
    if (spoilt !== undefined) spoilt.writes = 'fail'
    await b.ledger.audit.note({ act: 'reload', by: 'ann' })
    await expect.poll(() => b.ledger.isHealthy).toBe(false)
    // As a process that has read nothing of it yet.
    b.ledger.outdated(id)
    expect(await b.ledger.retry(id)).toBe('rerun')
    if (spoilt !== undefined) spoilt.writes = 'work'
    await expect.poll(() => b.ledger.isHealthy, { timeout: 8_000 }).toBe(true)
    const memory = b.ledger.work(await b.take(clink))
    expect([memory.rerun?.by, b.ledger.mayStart(memory)]).toEqual(['b', false])
    expect(whatKeeps(memory, b.ledger)).toContain('another worker of the fleet has begun to run it again')
    expect(await b.ledger.retry(id)).toBe('rerun')
    await b.ledger.refresh(memory, true)
    expect(b.ledger.mayStart(memory)).toBe(true)
  })

  it('is begun by one of two members that were asked', async (context) => {
    await using fleet = await two(context)
    const { a, b } = fleet
    await a.ledger.deadLetter(completed)
    await a.ledger.retry(id)
    await b.take(clink)
    await b.ledger.retry(id)
    const [ofA, ofB] = [await a.take(clink), await b.take(clink)]
    expect(a.ledger.mayStart(ofA)).toBe(false)
    expect(b.ledger.mayStart(ofB)).toBe(true)
    // Both begin at once: what each has noted by then the other one sees.
    await Promise.all([a.ledger.begin({ letter: id }), b.ledger.begin({ letter: id })])
    await Promise.all([a.ledger.refresh(ofA, true), b.ledger.refresh(ofB, true)])
    const elsewhere = [a.ledger.letters.isElsewhere(ofA), b.ledger.letters.isElsewhere(ofB)]
    expect(elsewhere).toContain(true)
  })
})
