import { expect, it } from 'vitest'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { Holder } from '../support/holders.ts'
import { claim, letter, open, recalled } from '../support/states.ts'

const other = (id: string) => ({ ...clink, clink_id: id })

it('remembers everything over a close', async () => {
  using directory = new TempDir()
  const first = open(directory.path)
  await first.ledger.begin({ letter: 'a' })
  await first.ledger.outcome('a', { is: 'outlived' })
  await first.ledger.outcome('a', { is: 'error', message: 'it "failed"\nwith \u{1f98a}', countsAttempt: true })
  await first.ledger.keepResult(other('r'), 'the answer')
  await first.ledger.failedLease('r', 5_000)
  await first.ledger.deadLetter({ ...letter, clink: other('l') })
  await Promise.all([first.ledger.cooling.set('c', 600_000), first.ledger.cooling.set('over', 0)])
  await first.ledger.addOwn('o', 1)
  await first.ledger.process.hold(claim)
  await first.ledger.process.note({ f: 'v' })
  await first.ledger.outcome('s', { is: 'suspect' })
  first.close()

  const second = open(directory.path)
  const { ledger } = second
  expect(ledger.attemptsOf('a').errors).toEqual(['it "failed"\nwith \u{1f98a}'])
  expect(ledger.attemptsOf('a').outlived).toBe(1)
  expect(await ledger.begin({ letter: 'a' })).toBe(2)
  expect(ledger.keptResult(other('r'))).toMatchObject({
    content: clink.content,
    response: 'the answer',
    leases: 1,
    failedAt: expect.any(Number),
  })
  expect([(await recalled(ledger, 'l')).isGivenUp, (await recalled(ledger, 'a')).isGivenUp]).toEqual([true, false])
  expect([(await recalled(ledger, 'c')).isCooling, (await recalled(ledger, 'over')).isCooling]).toEqual([true, false])
  expect([(await recalled(ledger, 'o')).isOwn, (await recalled(ledger, 'a')).isOwn]).toEqual([true, false])
  expect(ledger.process.claims()).toEqual([claim])
  expect(ledger.process.fact('f')).toBe('v')
  expect([ledger.attemptsOf('s').isSuspect, ledger.attemptsOf('a').isSuspect]).toEqual([true, false])
  second.close()
})

it('keeps what the service added to a clink that it holds', async () => {
  using directory = new TempDir()
  const held = { ...claim, clink: { ...clink, something_new: { deep: [1] } } }
  const first = open(directory.path)
  await first.ledger.process.hold(held)
  first.close()
  const second = open(directory.path)
  expect(second.ledger.process.claims()).toEqual([held])
  second.close()
})

it('forgets over a close what was dropped before it', async () => {
  using directory = new TempDir()
  const first = open(directory.path)
  await first.ledger.process.hold(claim)
  await first.ledger.keepResult(clink, undefined)
  first.close()
  const second = open(directory.path)
  await second.ledger.process.drop(clink.clink_id)
  await second.ledger.settled(clink)
  second.close()
  const third = open(directory.path)
  expect(third.ledger.process.claims()).toEqual([])
  expect(third.ledger.keptResult(clink)).toBeUndefined()
  third.close()
})

it('writes at its close what nobody has waited for', () => {
  using directory = new TempDir()
  const first = open(directory.path)
  void first.ledger.process.note({ f: 'v' })
  first.close()
  const second = open(directory.path)
  expect(second.ledger.process.fact('f')).toBe('v')
  second.close()
})

it('loses nothing of what was awaited when the process is killed right after it', async () => {
  using directory = new TempDir()
  const written = Array.from({ length: 50 }, (_, n) => `fact-${n}`)
  await using holder = await Holder.start(directory.path, { written })
  await holder.kill()
  const state = open(directory.path)
  expect(written.filter((name) => state.ledger.process.fact(name) !== 'written')).toEqual([])
  state.close()
})

it('may be written to after its close, which does nothing', async () => {
  using directory = new TempDir()
  const first = open(directory.path)
  await first.ledger.process.note({ before: 'v' })
  first.close()
  await first.ledger.process.note({ after: 'v' })
  const second = open(directory.path)
  expect([second.ledger.process.fact('before'), second.ledger.process.fact('after')]).toEqual(['v', undefined])
  second.close()
})
