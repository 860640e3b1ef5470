import { expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, until } from '../../support/harness.ts'
import { story } from '../../support/record.ts'

it('P3, §5: a start that cannot write its journal leaves the claim on what is given up to its end, and a stop does not give it back', async () => {
  await using bench = await Bench.open()
  const ledger = new Ledger(memoryTables())
  const id = bench.send('work')
  const over = Promise.withResolvers<void>()
  const before = bench.work(async () => await over.promise, { ledger })
  await before.seen('clink.started', id)

  const copy = new Ledger(memoryTables(), () => false)
  const [claim] = ledger.process.claims()
  if (claim === undefined) throw new Error('a claim is in hand')
  await copy.process.hold(claim)
  await copy.process.note({ session: ledger.process.fact('session') ?? '' })
  const { clink, route } = claim
  await copy.deadLetter({ clink, route, attempts: 1, reason: 'it failed', errors: [], tell: 'release', at: 0 }, false)
  const now = bench.work(() => 'done', { ledger: copy })
  await until(() => now.all('worker.resumed').length > 0, 'it has looked at the claims')
  await now.daemon.stop('the test is over')

  expect(now.all('clink.leftToExpire', id)).toMatchObject([{ why: expect.stringContaining('cannot be written') }])
  expect(story(bench.emulator, id)).toEqual(['created', 'claimed'])
  over.resolve()
})
