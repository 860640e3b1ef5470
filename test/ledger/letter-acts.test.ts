import { beforeEach, describe, expect, it } from 'vitest'
import type { DeadLetter, RerunState } from '../../src/ledger/dead-letters.ts'
import { Ledger } from '../../src/ledger/ledger.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import { NONE, type Attempts } from '../../src/ledger/remembered.ts'
import { clink } from '../support/sample-records.ts'
import { nothingByOthers, ScriptedFleet } from '../support/scripted-fleet.ts'
import { letter } from '../support/states.ts'

const { clink_id: id } = clink
const told = { ...letter, tell: 'complete' } as const
const NOW = 10_000

const rerun = (step: RerunState['step'], by: string, more: Partial<RerunState> = {}): DeadLetter => ({
  ...told,
  rerun: { step, by, ...more },
})

describe('a worker alone', () => {
  it('does once what an operator asks for, however often, until the clink is settled (§6)', async () => {
    const tables = memoryTables()
    const ledger = new Ledger(tables, undefined, () => NOW)
    expect([await ledger.retry(id), await ledger.retry(id)]).toEqual(['unknown', 'unknown'])
    await ledger.deadLetter(letter)
    await ledger.outcome(id, { is: 'crashed' })
    expect([await ledger.retry(id), ledger.letters.has(id)]).toEqual(['done', false])
    expect(tables.attempts.get(id)).toEqual({ ...NONE, crashes: 1, retried: true, at: NOW })
    expect(await ledger.retry(id)).toBe('done')
    await ledger.settled(clink)
    expect(await ledger.retry(id)).toBe('unknown')
  })

  it('runs a clink again whose sender was told, and has nothing else to remember of that (§5)', async () => {
    const tables = memoryTables()
    const ledger = new Ledger(tables, undefined, () => NOW)
    await ledger.deadLetter(told)
    expect([await ledger.retry(id), await ledger.retry(id)]).toEqual(['rerun', 'rerun'])
    expect([ledger.letters.rerunOf(id), tables.attempts.get(id)]).toEqual([{ step: 'due' }, undefined])
  })

  it('that has left its fleet begins anew what another member had begun: there is none any more', async () => {
    const tables = memoryTables()
    await tables.letters.set(id, rerun('running', 'two'))
    await tables.attempts.set(id, { ...NONE, count: 2, letter: told.at })
    const ledger = new Ledger(tables, undefined, () => NOW)
    expect(ledger.letters.reruns()).toEqual([])
    expect([await ledger.retry(id), ledger.letters.rerunOf(id)]).toEqual(['rerun', { step: 'due' }])
    expect(ledger.attemptsOf(id).starts).toBe(0)
  })

  it('discards a dead letter once', async () => {
    const ledger = new Ledger(memoryTables())
    await ledger.deadLetter(letter)
    expect([await ledger.discard(id), ledger.letters.count]).toEqual(['done', 0])
    expect(await ledger.discard(id)).toBe('unknown')
  })
})

describe('a member of a fleet', () => {
  let fleet: ScriptedFleet
  let ledger: Ledger

  const keptBy = async (kept: DeadLetter, attempts?: Attempts): Promise<void> => {
    await fleet.tables.letters.set(id, kept)
    if (attempts !== undefined) await fleet.tables.attempts.set(id, attempts)
    fleet.told.length = 0
  }
  const asks = (): number => fleet.told.filter((line) => line === `recall ${id}`).length
  const rerunNow = () => fleet.tables.letters.get(id)?.rerun

  beforeEach(() => {
    fleet = new ScriptedFleet()
    ledger = new Ledger(
      fleet.tables,
      undefined,
      () => NOW,
      () => NOW,
      fleet,
    )
  })

  it('asks first what the fleet knows, and tells it that what was done counts no more', async () => {
    await keptBy(letter)
    expect(await ledger.retry(id)).toBe('done')
    expect(fleet.told).toEqual([`recall ${id}`, `over ${id}`])
    // That it was asked for is new to the fleet, whatever it has forgotten.
    expect(fleet.begins).toEqual([id])
    await keptBy(letter)
    expect(await ledger.discard(id)).toBe('done')
    expect(fleet.told[0]).toBe(`recall ${id}`)
  })

  it('takes for done what was asked for at another member, and no letter that came since', async () => {
    fleet.others.set(id, { ...nothingByOthers, attempts: { ...NONE, retried: true } })
    expect(await ledger.retry(id)).toBe('done')
    expect(fleet.told).toEqual([`recall ${id}`])
    await keptBy(letter)
    expect([await ledger.retry(id), ledger.letters.has(id)]).toEqual(['done', false])
    expect(asks()).toBe(1)
    fleet.others.set(id, nothingByOthers)
    await fleet.tables.attempts.delete(id)
    expect(await ledger.retry(id)).toBe('unknown')
  })

  it.each<{ who: string; members: ScriptedFleet['members']; begunBy?: string; says: string; by: string }>([
    { who: 'is silent', members: [{ member: 'two', isSilent: true }], says: 'rerun', by: 'one' },
    { who: 'is not there', members: [{ member: 'one', isSilent: false }], says: 'rerun', by: 'one' },
    { who: 'is there', members: [{ member: 'two', isSilent: false }], says: 'elsewhere', by: 'two' },
    { who: 'may be there, who knows', members: undefined, says: 'elsewhere', by: 'two' },
    { who: 'may be there, nobody shows up', members: [], says: 'elsewhere', by: 'two' },
    {
      who: 'is silent beside one that has begun it',
      members: [
        { member: 'two', isSilent: true },
        { member: 'three', isSilent: false },
      ],
      begunBy: 'three',
      says: 'elsewhere',
      by: 'two',
    },
  ])(
    'begins anew what another one has begun only if that one is gone: it $who (P3)',
    async ({ begunBy, by, members, says }) => {
      fleet.members = members
      await keptBy(rerun('running', 'two'), { ...NONE, count: 2, letter: told.at })
      if (begunBy !== undefined) fleet.others.set(id, { ...nothingByOthers, begun: [{ letter: told.at, by: begunBy }] })
      expect(await ledger.retry(id)).toBe(says)
      expect(rerunNow()).toEqual({ step: by === 'one' ? 'due' : 'running', by })
      expect(ledger.attemptsOf(id).starts).toBe(says === 'rerun' ? 0 : 2)
    },
  )

  it('takes nothing over that it runs itself, or that nobody runs', async () => {
    fleet.members = [{ member: 'one', isSilent: false }]
    await keptBy(rerun('sending', 'one', { response: 'x' }))
    expect(await ledger.retry(id)).toBe('rerun')
    expect(rerunNow()).toEqual({ step: 'sending', by: 'one', response: 'x' })
    await keptBy(letter)
    expect([await ledger.retry(id), ledger.letters.has(id)]).toEqual(['done', false])
    await keptBy(told)
    expect([await ledger.retry(id), rerunNow()]).toEqual(['rerun', { step: 'due', by: 'one' }])
  })

  it('asks anew where another one was faster, and gives up in the end', async () => {
    await keptBy(letter)
    let times = 1
    fleet.meanwhile = () => {
      if (times-- > 0) fleet.change(id, letter)
    }
    expect([await ledger.retry(id), asks()]).toEqual(['done', 2])
    times = 9
    fleet.change(id, letter)
    fleet.told.length = 0
    expect([await ledger.retry(id), asks()]).toEqual(['unknown', 3])
  })

  it('asks anew for a rerun that another one has taken meanwhile, and gives up in the end', async () => {
    await keptBy(rerun('due', 'two'))
    let times = 1
    fleet.meanwhile = () => {
      if (times-- > 0) {
        fleet.change(id, rerun('due', 'two'))
        fleet.change(id, rerun('due', 'one'))
        fleet.change(id, rerun('due', 'two'))
      }
    }
    expect([await ledger.retry(id), asks()]).toEqual(['rerun', 2])
    times = 9
    fleet.change(id, rerun('due', 'two'))
    fleet.told.length = 0
    expect([await ledger.retry(id), asks()]).toEqual(['unknown', 3])
  })

  it('sends nothing that another one may have sent, when it takes that one’s rerun over (P5)', async () => {
    fleet.members = [{ member: 'two', isSilent: true }]
    await keptBy(rerun('sending', 'two', { response: 'x' }))
    expect(await ledger.retry(id)).toBe('rerun')
    expect(rerunNow()).toEqual({ step: 'unknown', by: 'one', response: 'x' })
  })

  it('sends what its rerun has come to, though another one has begun one too (P5)', async () => {
    await keptBy(rerun('ready', 'one', { response: 'x' }))
    fleet.others.set(id, { ...nothingByOthers, begun: [{ letter: told.at, by: 'three' }] })
    expect([await ledger.retry(id), rerunNow()?.step]).toEqual(['rerun', 'ready'])
    const memory = ledger.work(await ledger.recallOne(id))
    expect(ledger.letters.isElsewhere(memory)).toBe(false)
    fleet.change(id, rerun('due', 'one'))
    expect(ledger.letters.isElsewhere(memory)).toBe(true)
  })

  it('asks once where another one runs it, whatever that one changes meanwhile', async () => {
    fleet.members = [{ member: 'two', isSilent: false }]
    await keptBy(rerun('running', 'two'))
    fleet.meanwhile = () => fleet.change(id, rerun('running', 'two'))
    expect([await ledger.retry(id), asks()]).toEqual(['elsewhere', 1])
  })

  it('asks once where meanwhile only another letter was changed, or this one as it wants it', async () => {
    await keptBy(rerun('due', 'two'))
    fleet.meanwhile = () => {
      fleet.change('other', { ...rerun('due', 'two'), clink: { ...clink, clink_id: 'other' } })
      fleet.change(id, rerun('running', 'one'))
    }
    expect([await ledger.retry(id), asks()]).toEqual(['rerun', 1])
  })

  it('says that a letter is unknown that was gone before it could be discarded', async () => {
    await keptBy(letter)
    fleet.meanwhile = () => fleet.change(id, undefined)
    expect(await ledger.discard(id)).toBe('unknown')
  })

  it('shows the work on a clink what another one has made of its letter', async () => {
    const memory = ledger.work(await ledger.recallOne(id))
    fleet.change(id, letter)
    expect(memory.letter).toEqual(letter)
    fleet.change(id, undefined)
    expect(memory.letter).toBeUndefined()
  })

  describe('stands back from a rerun of its own that is another one’s now: its starts count, and none goes on', () => {
    const started: Attempts = { ...NONE, count: 1, letter: told.at }
    const stoodBack = { ...started, stoodBack: true }
    const attempts = () => fleet.tables.attempts.get(id)

    it('when it hears of it', async () => {
      await keptBy(rerun('running', 'one'), started)
      fleet.change(id, rerun('running', 'one'))
      expect(attempts()).toEqual(started)
      fleet.change(id, undefined)
      expect(attempts()).toEqual(started)
      fleet.change(id, rerun('due', 'two'))
      expect(attempts()).toEqual(stoodBack)
    })

    it('when it starts', async () => {
      await keptBy(rerun('due', 'two'), started)
      ledger = new Ledger(fleet.tables, undefined, undefined, undefined, fleet)
      expect(attempts()).toEqual(stoodBack)
    })

    it('where it has begun it: of other starts nothing changes', async () => {
      const before = { ...NONE, count: 1 }
      await keptBy(rerun('running', 'one'), before)
      fleet.change(id, rerun('due', 'two'))
      expect(attempts()).toEqual(before)
    })
  })
})
