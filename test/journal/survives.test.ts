import { expect, it } from 'vitest'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { Holder } from '../support/holders.ts'
import { claim, letter, open } from '../support/states.ts'

const other = (id: string) => ({ ...clink, clink_id: id })

it('remembers everything over a close', async () => {
  using directory = new TempDir()
  const first = open(directory.path)
  await first.ledger.startAttempt('a')
  await first.ledger.countOutlived('a')
  await first.ledger.noteError('a', 'it "failed"\nwith \u{1f98a}')
  await first.ledger.keepResult(other('r'), 'the answer')
  await first.ledger.countFailedLease('r', 5_000)
  await first.ledger.bury({ ...letter, clink: other('l') })
  await Promise.all([first.ledger.coolFor('c', 600_000), first.ledger.coolFor('over', 0)])
  await first.ledger.addOwn('o', 1)
  await first.ledger.holdClaim(claim)
  await first.ledger.noteFact('f', 'v')
  await first.ledger.suspect('s')
  first.close()

  const second = open(directory.path)
  const { ledger } = second
  expect(ledger.errorsOf('a')).toEqual(['it "failed"\nwith \u{1f98a}'])
  expect(ledger.outlivedOf('a')).toBe(1)
  expect(await ledger.startAttempt('a')).toBe(2)
  expect(ledger.keptResult(other('r'))).toMatchObject({
    content: clink.content,
    response: 'the answer',
    leases: 1,
    failedAt: expect.any(Number),
  })
  expect([ledger.isGivenUp('l'), ledger.isGivenUp('a')]).toEqual([true, false])
  expect([ledger.isCooling('c'), ledger.isCooling('over')]).toEqual([true, false])
  expect([ledger.isOwn('o'), ledger.isOwn('a')]).toEqual([true, false])
  expect(ledger.heldClaims()).toEqual([claim])
  expect(ledger.fact('f')).toBe('v')
  expect([ledger.isSuspect('s'), ledger.isSuspect('a')]).toEqual([true, false])
  second.close()
})

it('keeps what the service added to a clink that it holds', async () => {
  using directory = new TempDir()
  const held = { ...claim, clink: { ...clink, something_new: { deep: [1] } } }
  const first = open(directory.path)
  await first.ledger.holdClaim(held)
  first.close()
  const second = open(directory.path)
  expect(second.ledger.heldClaims()).toEqual([held])
  second.close()
})

it('forgets over a close what was dropped before it', async () => {
  using directory = new TempDir()
  const first = open(directory.path)
  await first.ledger.holdClaim(claim)
  await first.ledger.keepResult(clink, undefined)
  first.close()
  const second = open(directory.path)
  await second.ledger.dropClaim(clink.clink_id)
  await second.ledger.settled(clink.clink_id)
  second.close()
  const third = open(directory.path)
  expect(third.ledger.heldClaims()).toEqual([])
  expect(third.ledger.keptResult(clink)).toBeUndefined()
  third.close()
})

it('writes at its close what nobody has waited for', () => {
  using directory = new TempDir()
  const first = open(directory.path)
  void first.ledger.noteFact('f', 'v')
  first.close()
  const second = open(directory.path)
  expect(second.ledger.fact('f')).toBe('v')
  second.close()
})

it('loses nothing of what was awaited when the process is killed right after it', async () => {
  using directory = new TempDir()
  const written = Array.from({ length: 50 }, (_, n) => `fact-${n}`)
  await using holder = await Holder.start(directory.path, { written })
  await holder.kill()
  const state = open(directory.path)
  expect(written.filter((name) => state.ledger.fact(name) !== 'written')).toEqual([])
  state.close()
})

it('may be written to after its close, which does nothing', async () => {
  using directory = new TempDir()
  const first = open(directory.path)
  await first.ledger.noteFact('before', 'v')
  first.close()
  await first.ledger.noteFact('after', 'v')
  const second = open(directory.path)
  expect([second.ledger.fact('before'), second.ledger.fact('after')]).toEqual(['v', undefined])
  second.close()
})
