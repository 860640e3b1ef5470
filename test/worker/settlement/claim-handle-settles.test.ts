import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { LostCause } from '../../../src/events.ts'
import type { Settled } from '../../../src/worker/delivery/handle.ts'
import type { Completion } from '../../../src/worker/settlement/complete.ts'
import { clink } from '../../support/sample-records.ts'
import { BEGIN, HandleBench } from './handle-bench.ts'

/** What Clink was told, and what comes of it: set by each test. */
const service = vi.hoisted(() => ({
  told: [] as unknown[],
  complete: (): unknown => undefined,
  release: (): unknown => undefined,
}))

vi.mock('../../../src/worker/claim/keeper.ts', async () => ({
  LeaseKeeper: (await import('./fake-keeper.ts')).FakeKeeper,
}))
vi.mock('../../../src/worker/settlement/complete.ts', async (original) => ({
  ...(await original<object>()),
  complete: async (_: unknown, response: unknown, __: unknown, wasKept: unknown) => {
    service.told.push(['complete', response, wasKept])
    return await Promise.resolve(service.complete())
  },
}))
vi.mock('../../../src/worker/settlement/release.ts', () => ({
  release: async (_: unknown, why: unknown, reason: unknown) => {
    service.told.push(['release', why, reason])
    return await Promise.resolve(service.release())
  },
}))

const completed: Completion = { is: 'completed', response: 'done', presumed: false, duration: 5 }
const released: Settled = { is: 'released', why: 'handler', duration: 5 }
const id = clink.clink_id

let bench: HandleBench

beforeEach(async () => {
  service.told = []
  service.complete = () => completed
  service.release = () => released
  bench = await HandleBench.started()
})

const end = (cause: LostCause): void => bench.handle.ended({ is: 'lost', cause, isUnusable: false })
const lapse = (): void => void (bench.now = BEGIN + 90_000)
const kept = (): unknown => bench.ledger.keptResult(clink)?.response
const lost = (more: object): object => ({ is: 'lost', cause: 'expired', lapsedAt: BEGIN + 100_000, ...more })
/** Something is written, until it is let go on. */
function slowly(write: () => Promise<void>): { readonly written: Promise<void>; readonly goOn: () => void } {
  const gate = Promise.withResolvers<void>()
  return { written: gate.promise.then(write), goOn: gate.resolve }
}

describe('a completion', () => {
  it('is sent once its result is kept, and ends the claim (P5)', async () => {
    const seen: unknown[] = []
    service.complete = () => {
      seen.push(kept(), bench.keeper.completing, bench.keeper.isStopped)
      return completed
    }
    expect(await bench.handle.complete('done')).toBe(completed)
    expect([service.told, seen]).toEqual([[['complete', 'done', false]], ['done', true, false]])
    expect([bench.keeper.completing, bench.keeper.isStopped, bench.journalled]).toEqual([false, true, undefined])
    expect(bench.handle.valid()).toBe(false)
  })

  it('counts for a claim that has run out meanwhile as well', async () => {
    service.complete = () => {
      end('expired')
      return completed
    }
    expect(await bench.handle.complete('done')).toBe(completed)
    expect(bench.ledger.late.all()).toEqual([])
  })

  it('of a kept result is said, and sent as it is', async () => {
    await bench.ledger.keepResult(clink, 'kept')
    expect(await bench.handle.completeKept()).toBe(completed)
    expect(bench.events).toEqual([{ event: 'clink.replayed', clink, route: 'work' }])
    expect(service.told).toEqual([['complete', 'kept', true]])
    bench = await HandleBench.started()
    await bench.handle.completeKept()
    expect(service.told[1]).toEqual(['complete', undefined, true])
  })

  it('of a claim that is gone is not sent', async () => {
    lapse()
    expect(await bench.handle.complete('done')).toEqual(lost({ whileTelling: true }))
    expect([service.told, kept()]).toEqual([[], 'done'])
  })

  it('that runs out while the result is being kept was lost while Clink was being told', async () => {
    const slow = slowly(async () => {})
    vi.spyOn(bench.ledger, 'keepResult').mockReturnValue(slow.written)
    const completing = bench.handle.complete('done')
    end('taken')
    slow.goOn()
    expect(await completing).toMatchObject({ is: 'lost', cause: 'taken', whileTelling: true })
    expect(service.told).toEqual([])
  })

  it('of a kept result that is lost was lost while Clink was being told', async () => {
    service.complete = () => {
      end('taken')
      return { is: 'unconfirmed', failing: 0 }
    }
    expect(await bench.handle.completeKept()).toMatchObject({ whileTelling: true })
  })

  it('that somebody else has made leaves the result to the operator', async () => {
    const elsewhere: Completion = { is: 'elsewhere', detail: 'completed by ann' }
    service.complete = () => elsewhere
    expect(await bench.handle.complete('done')).toBe(elsewhere)
    expect(bench.ledger.late.all()).toMatchObject([{ response: 'done', why: 'elsewhere' }])
    expect([bench.keeper.isStopped, bench.journalled]).toEqual([true, undefined])
  })

  it('that somebody else has made stays a loss where that was known before', async () => {
    service.complete = () => {
      end('completed-elsewhere')
      return { is: 'elsewhere', detail: 'completed by ann' }
    }
    expect(await bench.handle.complete('done')).toMatchObject({ is: 'lost', cause: 'completed-elsewhere' })
    expect(bench.ledger.late.all()).toMatchObject([{ response: 'done', why: 'elsewhere' }])
  })

  it('that a renewal shows as made by somebody else leaves the result to the operator (P5)', async () => {
    service.complete = () => {
      end('completed-elsewhere')
      return { is: 'unconfirmed', failing: 0 }
    }
    await bench.handle.complete('done')
    expect(bench.ledger.late.all()).toMatchObject([{ response: 'done', why: 'elsewhere' }])
    bench = await HandleBench.started()
    service.complete = () => {
      end('taken')
      return { is: 'unconfirmed', failing: 0 }
    }
    await bench.handle.complete('done')
    expect(bench.ledger.late.all()).toEqual([])
  })

  it('that a look shows as lost is', async () => {
    service.complete = () => ({ is: 'lost', cause: 'pending-again', failing: 0 })
    expect(await bench.handle.complete('done')).toMatchObject({ is: 'lost', cause: 'pending-again' })
    expect([bench.lost.length, bench.deadLettered]).toEqual([1, []])
  })

  it('without an answer is unconfirmed while the claim stands, and lost after it', async () => {
    service.complete = () => ({ is: 'unconfirmed', failing: 0 })
    expect(await bench.handle.complete('done')).toEqual({ is: 'unconfirmed' })
    expect([bench.lost, bench.keeper.isStopped]).toEqual([[], false])
    lapse()
    expect(await bench.handle.complete('done')).toEqual(lost({ whileTelling: true }))
  })
})

describe('a result that the service does not take (P12)', () => {
  const ENOUGH = 60_000
  const unsettleable = { is: 'unsettleable', why: 'too long' }

  it('in any form makes a dead letter that keeps it, and the clink is given back', async () => {
    service.complete = () => unsettleable
    expect(await bench.handle.complete('done')).toBe(released)
    expect(bench.ledger.letters.get(id)).toMatchObject({ reason: 'unsettleable: too long', tell: 'release' })
    expect([kept(), service.told[1]]).toEqual(['done', ['release', 'exhausted', 'unsettleable']])
    expect(bench.deadLettered).toEqual([id])
  })

  it('makes none where the claim is lost meanwhile', async () => {
    service.complete = () => {
      lapse()
      return unsettleable
    }
    expect(await bench.handle.complete('done')).toEqual(lost({ whileTelling: true }))
    expect([bench.ledger.letters.get(id), service.told.length]).toEqual([undefined, 1])
  })

  it('over two claims that run out makes one as well', async () => {
    const before = async (ledger: HandleBench['ledger']): Promise<void> => {
      await ledger.keepResult(clink, 'done')
      await ledger.failedLease(id, ENOUGH)
    }
    bench = await HandleBench.started({ before })
    service.complete = () => {
      lapse()
      return { is: 'unconfirmed', failing: ENOUGH }
    }
    expect(await bench.handle.completeKept()).toEqual(lost({ whileTelling: true }))
    const reason = 'unsettleable: the service failed to take the result over two leases'
    expect(bench.ledger.letters.get(id)).toMatchObject({ reason })
  })

  it('over one claim makes none yet, and none at all where it did not fail at last', async () => {
    service.complete = () => {
      lapse()
      return { is: 'unconfirmed', failing: 2 * ENOUGH }
    }
    await bench.handle.complete('done')
    expect([bench.ledger.letters.get(id), bench.ledger.keptResult(clink)?.leases]).toEqual([undefined, 1])
    bench = await HandleBench.started()
    service.complete = () => ({ is: 'lost', cause: 'taken', failing: 0 })
    await bench.handle.complete('done')
    expect(bench.ledger.keptResult(clink)?.leases).toBe(0)
  })

  it('is given up after two claims, and two minutes', async () => {
    const { handle } = bench
    expect([await handle.failing(ENOUGH), await handle.failing(ENOUGH - 1), await handle.failing(1)]).toEqual([
      false,
      false,
      true,
    ])
    bench = await HandleBench.started()
    expect([await bench.handle.failing(2 * ENOUGH), await bench.handle.failing(0)]).toEqual([false, true])
  })

  it('counts what other claims on its clink have failed for', async () => {
    await bench.ledger.keepResult(clink, 'done')
    await bench.ledger.failedLease(id, ENOUGH)
    bench.now += ENOUGH
    expect(await bench.handle.failing(ENOUGH)).toBe(true)
  })
})

describe('a release', () => {
  it('is journalled before it is sent: the next start is not to hold on to the claim (§7)', async () => {
    const seen: unknown[] = []
    service.release = () => {
      seen.push(bench.journalled?.releasing, bench.handle.isReleasing, bench.handle.releaseTried)
      return released
    }
    const noted = slowly(async () => void seen.push('noted'))
    const releasing = bench.handle.release('handler', { reason: 'busy', noted: noted.written })
    expect([bench.handle.isReleasing, service.told]).toEqual([false, []])
    noted.goOn()
    expect(await releasing).toBe(released)
    expect([seen, service.told]).toEqual([['noted', true, true, true], [['release', 'handler', 'busy']]])
    expect([bench.handle.isReleasing, bench.handle.releaseTried]).toEqual([false, true])
    expect([bench.journalled, bench.keeper.isStopped]).toEqual([undefined, true])
  })

  it('leaves the clink alone for as long as is wanted, and only then', async () => {
    await bench.handle.release('handler')
    expect(bench.ledger.cooling.of(id)).toBe(0)
    bench = await HandleBench.started()
    await bench.handle.release('handler', { cooldown: 5_000 })
    expect(bench.ledger.cooling.of(id)).toBe(5_000)
  })

  it('of a claim that is gone is neither journalled nor sent', async () => {
    lapse()
    expect(await bench.handle.release('handler')).toEqual(lost({ whileTelling: true }))
    expect([service.told, bench.journalled, bench.handle.releaseTried]).toEqual([[], undefined, false])
  })

  it('of a claim that runs out while that is journalled is not sent', async () => {
    const noted = slowly(async () => lapse())
    const releasing = bench.handle.release('handler', { noted: noted.written })
    noted.goOn()
    expect(await releasing).toEqual(lost({ whileTelling: true }))
    expect(service.told).toEqual([])
  })

  it.each<Settled>([released, { is: 'unconfirmed' }])('that ends with the claim is a loss: %o', async (settled) => {
    service.release = () => {
      lapse()
      return settled
    }
    expect(await bench.handle.release('handler')).toEqual(lost({ whileTelling: true }))
    expect(bench.journalled).toBeUndefined()
  })

  it('is not sent where the journal cannot be written: the claim is left to expire', async () => {
    bench.isKept = false
    const why = 'the journal cannot be written, so that a release could not be noted before it is sent'
    expect(await bench.handle.release('handler')).toEqual({ is: 'left-to-expire', why })
    expect([service.told, bench.keeper.isStopped, bench.handle.releaseTried]).toEqual([[], true, false])
  })

  it.each([
    ['surely not heard', true, false],
    ['perhaps heard', false, true],
  ])('that a stop cuts short, %s, is journalled as such (P8, §7)', async (_, hadNoEffect, releasing) => {
    const unconfirmed: Settled = { is: 'unconfirmed', hadNoEffect }
    service.release = () => unconfirmed
    expect(await bench.handle.release('shutdown')).toBe(unconfirmed)
    expect([bench.journalled?.releasing, bench.keeper.isStopped]).toEqual([releasing, false])
    expect([bench.handle.isReleasing, bench.handle.releaseTried]).toEqual([false, true])
  })

  it('of which nobody knows what it did stays journalled', async () => {
    service.release = () => ({ is: 'unconfirmed' })
    await bench.handle.release('shutdown')
    expect(bench.journalled?.releasing).toBe(true)
  })
})

describe('a clink that is given up', () => {
  const letter = { reason: 'broken', notice: 'It is broken.', why: 'exhausted' } as const

  it('is a dead letter before its sender is told', async () => {
    const seen: unknown[] = []
    service.complete = () => {
      seen.push(bench.ledger.letters.get(id)?.notice)
      return completed
    }
    await bench.ledger.begin({ letter: id })
    await bench.ledger.outcome(id, { is: 'error', message: 'first', countsAttempt: true })
    bench.owner.attempt = 3
    expect(await bench.handle.giveUp({ ...letter, tell: 'complete' })).toBe(completed)
    expect([service.told, seen]).toEqual([[['complete', 'It is broken.', false]], ['It is broken.']])
    expect(bench.ledger.letters.get(id)).toMatchObject({
      clink,
      route: 'work',
      attempts: 3,
      reason: 'broken',
      errors: ['first', 'broken'],
      tell: 'complete',
      at: bench.clock.wall(),
    })
    expect(bench.events).toEqual([
      { event: 'clink.deadLettered', clink, route: 'work', attempt: 3, reason: 'broken', attempts: 3 },
    ])
    expect(bench.deadLettered).toEqual([id])
  })

  it('is given back where its sender is not to be told, without a notice', async () => {
    expect(await bench.handle.giveUp({ ...letter, tell: 'release' })).toBe(released)
    expect(service.told).toEqual([['release', 'exhausted', 'broken']])
    expect(bench.ledger.letters.get(id)).toMatchObject({ attempts: 0, tell: 'release' })
    expect(bench.ledger.letters.get(id)).not.toHaveProperty('notice')
  })

  it('keeps no result: one that it had was of another text', async () => {
    const other = { ...clink, content: 'another text' }
    await bench.ledger.keepResult(other, 'done')
    await bench.handle.giveUp({ ...letter, tell: 'release' })
    expect(bench.ledger.keptResult(other)).toBeUndefined()
  })

  it('whose claim is lost meanwhile was lost while Clink was being told', async () => {
    const slow = slowly(async () => {})
    vi.spyOn(bench.ledger, 'deadLetter').mockReturnValue(slow.written)
    const givingUp = bench.handle.giveUp({ ...letter, tell: 'complete' })
    end('taken')
    slow.goOn()
    expect(await givingUp).toMatchObject({ is: 'lost', whileTelling: true })
  })

  it('a second time, since its notice was not taken, keeps what its letter says', async () => {
    await bench.handle.giveUp({ ...letter, tell: 'complete' })
    const before = bench.ledger.letters.get(id)
    bench = await HandleBench.started({
      before: async (ledger) => {
        if (before !== undefined) await ledger.deadLetter({ ...before, attempts: 4, errors: ['one', 'two'] })
      },
    })
    service.complete = () => ({ is: 'unsettleable', why: 'too long' })
    await bench.handle.completeKept()
    expect(bench.ledger.letters.get(id)).toMatchObject({
      attempts: 4,
      errors: ['one', 'two', 'unsettleable: too long'],
      tell: 'release',
    })
  })
})

it('a clink is settled once: what comes later finds what was', async () => {
  const first = await bench.handle.release('handler')
  expect([await bench.handle.complete('done'), await bench.handle.release('shutdown')]).toEqual([first, first])
  expect(service.told).toHaveLength(1)
  end('taken')
  expect([bench.lost, bench.journalled]).toEqual([[], undefined])
})

it('a confirmed completion ends the renewal of its claim at once', () => {
  bench.handle.confirmed()
  expect(bench.keeper.isStopped).toBe(true)
})
