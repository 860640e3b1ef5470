import { beforeEach, describe, expect, it } from 'vitest'
import { LONGEST } from '../../src/base/cut-text.ts'
import { DeadLetters, NOT_KNOWN, openRerun, type DeadLetter, type RerunState } from '../../src/ledger/dead-letters.ts'
import { memoryTables } from '../../src/ledger/memory-tables.ts'
import type { LedgerTables } from '../../src/ledger/tables.ts'
import { clink } from '../support/sample-records.ts'
import { letter } from '../support/states.ts'

const { clink_id: id } = clink
const told = { ...letter, tell: 'complete' } as const

let now: number
let tables: LedgerTables
let changed: (readonly [string, DeadLetter | undefined])[]
let letters: DeadLetters

const lettersOf = (member?: string): DeadLetters =>
  new DeadLetters(
    tables,
    () => now,
    (...change) => void changed.push(change),
    member,
  )
const named = (name: string, at: number, more: Partial<DeadLetter> = {}): DeadLetter => ({
  ...letter,
  clink: { ...clink, clink_id: name },
  at,
  ...more,
})

/** `a`, `b` and `c`, which is their order, in another one. */
async function addInDisorder(more?: Partial<DeadLetter>): Promise<void> {
  for (const [name, at] of Object.entries({ c: 3, a: 1, b: 2 })) await letters.add(named(name, at, more))
}

beforeEach(() => {
  now = 10_000
  tables = memoryTables()
  changed = []
  letters = lettersOf()
})

describe('dead letters', () => {
  it('are listed oldest first, without those that were discarded', async () => {
    await addInDisorder()
    await letters.discard('b')
    expect(letters.all().map((one) => one.clink.clink_id)).toEqual(['a', 'c'])
    expect([letters.count, letters.has('b'), letters.get('b'), letters.has('x')]).toEqual([2, true, undefined, false])
  })

  it('come in pages, each from the one after the last of the page before', async () => {
    for (let n = 0; n < 2_500; n += 1) await letters.add(named(`msg_${String(n).padStart(4, '0')}`, Math.floor(n / 3)))
    const seen: string[] = []
    let pages = 0
    let after: ReturnType<typeof letters.page>['next']
    do {
      const page = letters.page(after)
      seen.push(...page.rows.map((one) => one.clink.clink_id))
      after = page.next
      pages += 1
    } while (after !== undefined)
    expect(seen).toEqual(Array.from({ length: 2_500 }, (_, n) => `msg_${String(n).padStart(4, '0')}`))
    expect(pages).toBeGreaterThan(2)
  })

  it('of one time are in the order of their ids, however many there are', async () => {
    for (let n = 1_500; n > 0; n -= 1) await letters.add(named(`msg_${String(n).padStart(4, '0')}`, 5))
    expect(letters.page().rows[0]?.clink.clink_id).toBe('msg_0001')
  })

  it('read no more of the table than a page needs', async () => {
    for (let n = 0; n < 3_000; n += 1) await letters.add(named(`msg_${n}`, n))
    let read = 0
    const between = tables.letters.between.bind(tables.letters)
    tables.letters.between = function* (...args) {
      for (const entry of between(...args)) {
        read += 1
        yield entry
      }
    }
    letters.page()
    expect(read).toBeLessThan(1_010)
  })

  it('keep texts that are cut, and say each change in the turn of it', async () => {
    const long = 'x'.repeat(LONGEST.error + 1)
    const adding = letters.add({ ...letter, reason: long, errors: ['short', long] })
    expect(changed).toEqual([[id, letters.get(id)]])
    await adding
    const { errors = [], reason = '' } = letters.get(id) ?? {}
    expect([reason.length, errors.map((error) => error.length)]).toEqual([LONGEST.error, [5, LONGEST.error]])
    expect(reason).toMatch(/cut: 16385 characters in all\]$/)
    const removing = letters.remove(id)
    expect(changed.slice(1)).toEqual([[id, undefined]])
    await removing
    expect(letters.has(id)).toBe(false)
  })

  it.each([
    { of: 'none', add: [], mayBe: false },
    { of: 'one that the inbox has shown', add: [{ ...told, seen: 5 }], mayBe: true },
    { of: 'one whose clink was released', add: [letter], mayBe: true },
    { of: 'one whose sender was told', add: [told], mayBe: false },
  ])('may be pending: $mayBe, where there is $of', async ({ add, mayBe }) => {
    for (const one of add) await letters.add(one)
    expect(letters.mayBePending).toBe(mayBe)
  })
})

describe('what the sender of one is to be told', () => {
  it('is told, and with it whatever the inbox has shown before counts no more', async () => {
    await letters.add({ ...told, notice: 'it failed', seen: 5, untaken: { leases: 1, failedAt: 1 } })
    await letters.noticed(id)
    expect(letters.get(id)).toStrictEqual(told)
    changed = []
    await letters.noticed(id)
    await letters.noticed('unknown')
    expect(changed).toEqual([])
  })

  it('may fail for several leases, and it is known since when', async () => {
    await letters.add({ ...told, notice: 'it failed' })
    expect(await letters.failedLease({ ...told, notice: 'it failed' }, 1_000)).toEqual({ leases: 1, over: 1_000 })
    now += 5_000
    expect(await letters.failedLease(letters.get(id) ?? told, 500)).toEqual({ leases: 2, over: 6_000 })
    expect(letters.get(id)?.untaken).toEqual({ leases: 2, failedAt: 9_000 })
  })
})

describe('a retry', () => {
  it('forgets the letter and that its clink cools, and there is none of what is unknown', async () => {
    await letters.add(letter)
    await tables.cooling.set(id, { at: now, for: 1_000 })
    expect(await letters.retry(id)).toBe('done')
    expect([letters.has(id), tables.cooling.get(id)]).toEqual([false, undefined])
    expect(await letters.retry(id)).toBe('unknown')
  })

  it.each([
    { of: 'whose sender was told', one: told, change: 'rerun' },
    {
      of: 'whose sender is just being told, though it was shown',
      one: { ...told, notice: 'x', seen: 1 },
      change: 'rerun',
    },
    { of: 'that was shown since', one: { ...told, seen: 1 }, change: 'done' },
    { of: 'that was released', one: { ...letter, notice: 'x' }, change: 'done' },
    { of: 'that runs again', one: { ...letter, rerun: { step: 'running' } }, change: 'rerun' },
  ] as const)('of one $of is: $change', async ({ change, one }) => {
    await letters.add(one)
    expect(await letters.retry(id)).toBe(change)
    expect(letters.rerunOf(id) !== undefined).toBe(change === 'rerun')
  })

  it('begins anew, or sends a result that is there', async () => {
    await letters.add(told)
    await letters.retry(id)
    expect(letters.rerunOf(id)).toStrictEqual({ step: 'due' })
    await letters.add({ ...told, rerun: { step: 'unknown', response: 'x' } })
    await letters.retry(id)
    expect(letters.rerunOf(id)).toEqual({ step: 'ready', response: 'x' })
  })

  it('of one that a person discards leaves nothing of it but that it is given up', async () => {
    await letters.add({ ...told, notice: 'x', rerun: { step: 'due' } })
    expect(await letters.discard(id)).toBe('done')
    expect(tables.letters.get(id)).toStrictEqual({
      ...told,
      clink: { ...clink, content: '' },
      reason: '',
      errors: [],
      at: now,
      discarded: true,
    })
    expect([await letters.discard(id), await letters.discard('other')]).toEqual(['unknown', 'unknown'])
  })
})

describe('reruns', () => {
  const rerun = (step: RerunState['step'], by?: string): RerunState => ({ step, ...(by !== undefined && { by }) })

  it('are in the order in which their clinks were given up', async () => {
    await addInDisorder({ rerun: rerun('due') })
    await letters.add(named('none', 0))
    expect(letters.reruns().map((one) => one.clink.clink_id)).toEqual(['a', 'b', 'c'])
    expect([letters.areShared, letters.rerunElsewhere(), letters.rerunOf('none')]).toEqual([false, [], undefined])
  })

  it.each(['due', 'running', 'ready', 'sending'] as const)('are open at %s', (step) => {
    expect(openRerun({ ...told, rerun: rerun(step) })).toEqual({ step })
  })

  it('are not open where their result is for a person to send, or where there is none', () => {
    expect([openRerun({ ...told, rerun: rerun('unknown') }), openRerun(told), openRerun(undefined)]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('are noted as far as they are, with why, and nothing of what is wanted no more', async () => {
    await letters.add({ ...told, rerun: rerun('due') })
    await letters.noteRerun(id, rerun('running'))
    expect(letters.get(id)).toStrictEqual({ ...told, rerun: rerun('running') })
    await letters.noteRerun(id, rerun('unknown'), 'why')
    expect(letters.get(id)).toStrictEqual({
      ...told,
      reason: 'why',
      errors: [...told.errors, 'why'],
      rerun: rerun('unknown'),
    })
    await letters.noteRerun(id, rerun('due'))
    expect(letters.get(id)?.rerun).toEqual(rerun('unknown'))
    await letters.noteRerun('other', rerun('due'))
    expect(letters.has('other')).toBe(false)
  })

  it('of a state directory that was copied are for a person to decide, where a result may have been sent', async () => {
    await letters.add(named('due', 1, { rerun: rerun('due') }))
    await letters.add(named('sent', 2, { rerun: { step: 'sending', response: 'x' } }))
    await letters.dropReruns()
    expect(letters.get('due')).toStrictEqual(named('due', 1))
    expect(letters.get('sent')).toMatchObject({ reason: NOT_KNOWN, rerun: { step: 'unknown', response: 'x' } })
    expect(NOT_KNOWN).toMatch(/nothing says whether it arrived/)
  })

  describe('of a fleet', () => {
    const begunBy = (by: string, at = told.at) => ({ letter: at, by })
    const worked = (begun: readonly { letter: number; by: string }[] = []) => ({
      clinkId: id,
      others: { begun },
      rerun: rerun('due'),
    })

    beforeEach(() => {
      letters = lettersOf('a')
    })

    it('are run by the member that was asked', async () => {
      expect(letters.areShared).toBe(true)
      await letters.add(named('mine', 1, { rerun: rerun('due', 'a') }))
      await letters.add(named('theirs', 2, { rerun: rerun('running', 'b') }))
      await letters.add(named('old', 3, { rerun: rerun('due') }))
      await letters.add(named('gone', 4, { rerun: rerun('due', 'b'), discarded: true }))
      expect(letters.reruns().map((one) => one.clink.clink_id)).toEqual(['mine', 'old'])
      expect(letters.rerunElsewhere().map((one) => one.clink.clink_id)).toEqual(['theirs'])
      expect([letters.rerunOf('mine'), letters.rerunOf('theirs')]).toEqual([rerun('due', 'a'), undefined])
      const elsewhere = ['mine', 'theirs', 'old', 'gone'].map((name) =>
        letters.isRerunElsewhere(tables.letters.get(name) ?? told),
      )
      expect([...elsewhere, letters.isRerunElsewhere(told)]).toEqual([false, true, false, false, false])
      await letters.add(told)
      expect(letters.rerunOf(id)).toBeUndefined()
      // Nobody else looks at them where there is no fleet any more.
      expect(lettersOf().rerunElsewhere()).toEqual([])
    })

    it.each([
      { before: rerun('due', 'a'), change: 'rerun', by: 'a' },
      // It waits for the one that has begun it.
      { before: rerun('due', 'a'), begun: [begunBy('b')], change: 'elsewhere', by: 'a' },
      // Nobody has begun it: it is run where it is asked for last.
      { before: rerun('due', 'b'), change: 'rerun', by: 'a' },
      { before: rerun('due', 'b'), begun: [begunBy('b')], change: 'elsewhere', by: 'b' },
      { before: rerun('due', 'b'), begun: [begunBy('b', 1)], change: 'rerun', by: 'a' },
      { before: rerun('running', 'b'), change: 'elsewhere', by: 'b' },
      { before: rerun('running', 'a'), change: 'rerun', by: 'a' },
      { before: rerun('unknown', 'b'), change: 'rerun', by: 'a' },
    ])(
      '$before.step of $before.by, asked for of a, begun by $begun: $change',
      async ({ before, begun, by, change }) => {
        await letters.add({ ...told, rerun: before })
        expect(await letters.retry(id, begun)).toBe(change)
        expect(letters.get(id)?.rerun?.by).toBe(by)
      },
    )

    it('stay with the process that has begun them, whoever was asked since, until it takes the start back', async () => {
      await letters.add({ ...told, rerun: rerun('due', 'b') })
      letters.begun(id)
      expect(letters.reruns()).toEqual([])
      expect(letters.isElsewhere(worked())).toBe(true)
      await letters.add({ ...told, rerun: rerun('due', 'a') })
      expect(letters.isElsewhere(worked([begunBy('b')]))).toBe(true)
      expect(letters.isElsewhere(worked())).toBe(false)
      letters.begun(id)
      await letters.add({ ...told, rerun: rerun('due', 'b') })
      expect(letters.reruns()).toHaveLength(1)
      expect(letters.isElsewhere(worked([begunBy('b')]))).toBe(false)
      expect(letters.runners(letters.get(id) ?? told, [begunBy('b')])).toEqual([])
      letters.takenBack(id)
      expect(letters.reruns()).toEqual([])
      letters.begun('other')
      await letters.add(named('other', 1, { rerun: rerun('due', 'b') }))
      expect(letters.rerunOf('other')).toBeUndefined()
    })

    it('are begun by this process no more once the letter is no rerun, or is gone', async () => {
      for (const end of [async () => await letters.add(told), async () => await letters.remove(id)]) {
        await letters.add({ ...told, rerun: rerun('due', 'a') })
        letters.begun(id)
        await end()
        await letters.add({ ...told, rerun: rerun('due', 'b') })
        expect(letters.reruns()).toEqual([])
        await letters.remove(id)
      }
    })

    it('are elsewhere only where they are reruns', async () => {
      expect(letters.isElsewhere({ ...worked(), rerun: undefined })).toBe(false)
      expect(lettersOf().isElsewhere(worked())).toBe(false)
      expect(letters.isElsewhere({ ...worked(), others: undefined })).toBe(true)
      await letters.add({ ...told, rerun: rerun('due', 'a') })
      expect(letters.isElsewhere({ ...worked(), others: undefined })).toBe(false)
    })

    it('have runners: who was asked, and who has begun it', async () => {
      const one = { ...told, rerun: rerun('running', 'b') }
      await letters.add(one)
      expect(letters.runners(one)).toEqual(['b'])
      expect(letters.runners(one, [begunBy('c'), begunBy('a'), begunBy('d', 1)])).toEqual(['b', 'c'])
      expect(letters.runners({ ...told, rerun: rerun('due') }, [begunBy('c')])).toEqual(['c'])
      expect(letters.runners(told, [begunBy('c')])).toEqual([])
      expect(letters.runners({ ...told, rerun: rerun('unknown', 'b') }, [begunBy('c')])).toEqual([])
      expect(lettersOf().runners({ ...told, rerun: rerun('due') }, [begunBy('c')])).toEqual([])
    })

    it.each([
      { before: { step: 'running' }, after: { step: 'due', by: 'a' } },
      { before: { step: 'ready', response: 'x' }, after: { step: 'ready', response: 'x', by: 'a' } },
      { before: { step: 'sending', response: 'x' }, after: { step: 'unknown', response: 'x', by: 'a' } },
    ] as const)('at $before.step of a member that is gone are at $after.step here', async ({ after, before }) => {
      const one = { ...told, rerun: { ...before, by: 'b' } }
      await letters.add(one)
      await letters.takeOver(one)
      expect(letters.get(id)?.rerun).toEqual(after)
    })

    it('are signed by whoever notes how far they are', async () => {
      await letters.add({ ...told, rerun: rerun('due', 'a') })
      await letters.noteRerun(id, rerun('running'))
      expect(letters.get(id)?.rerun).toEqual(rerun('running', 'a'))
    })
  })
})
