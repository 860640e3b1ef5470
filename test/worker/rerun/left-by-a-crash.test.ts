import { expect, it } from 'vitest'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, until } from '../../support/harness.ts'

const retry = { attempts: 1, onExhausted: 'complete' } as const

it('P12: a letter that is to run again after a crash leaves the last free slot to what is claimed, beside a clink that is held on to', async () => {
  await using bench = await Bench.open()
  const ledger = new Ledger(memoryTables())
  const over = Promise.withResolvers<void>()
  const bad = bench.send('bad')
  const handle = async ({ content }: { readonly content: string }): Promise<string> => {
    if (content === 'bad') throw new Error('bad')
    if (content === 'long') await over.promise
    return 'done'
  }
  // With one slot: what is sent later is for the next process.
  const before = bench.work(handle, { ledger, settings: { concurrency: 1, retry } })
  await before.seen('clink.deadLettered', bad)
  const long = bench.send('long')
  await before.seen('clink.started', long)

  const copy = new Ledger(memoryTables())
  for (const claim of ledger.process.claims()) await copy.process.hold(claim)
  for (const name of ['session', 'identity']) await copy.process.note({ [name]: ledger.process.fact(name) ?? '' })
  const letter = ledger.letters.get(bad)
  if (letter === undefined) throw new Error('it was given up')
  await copy.deadLetter({ ...letter, tell: 'complete' }, false)
  expect(await copy.letters.retry(bad)).toBe('rerun')
  const now = bench.work(handle, { ledger: copy, settings: { concurrency: 2, retry } })
  await until(() => now.all('worker.resumed').length > 0, 'it has looked at the claims')
  await now.seen('clink.started', long)
  const good = bench.send('good')
  await now.seen('clink.completed', good)
  over.resolve()
})
