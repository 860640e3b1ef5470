import { describe, expect, it } from 'vitest'
import type { FaultAction } from '../../../src/emulator/faults.ts'
import type { HandleFunction } from '../../../src/handlers/handler.ts'
import { Ledger } from '../../../src/ledger/ledger.ts'
import { memoryTables } from '../../../src/ledger/memory-tables.ts'
import { Bench, obey, until } from '../../support/harness.ts'
import { story } from '../../support/record.ts'

const settings = {
  claim: { timeout: 60_000 },
  retry: { cooldown: 600_000 },
  shutdown: { timeout: 1_500, drain: 200 },
}
/** It is not tried again before the stop is over: a try that this cuts off may have had an effect. */
const REFUSED = { status: 429, headers: { 'retry-after': '60' } }

/** A worker that is stopped while the service takes no release, and the start that follows. */
async function restarted(bench: Bench, answer: FaultAction, handle: HandleFunction) {
  const ledger = new Ledger(memoryTables())
  const fault = bench.fault({ operation: 'release_clink' }, answer)
  const id = bench.send('work')
  const before = bench.work(handle, { ledger, settings })
  await before.seen('clink.started', id)
  await before.daemon.stop('test')
  expect([await before.ended(), before.all('worker.stopped')]).toMatchObject([70, [{ leftBehind: [id] }]])
  fault.remove()
  const after = bench.work(() => 'done', { ledger, settings })
  await until(() => after.all('worker.resumed').length > 0, 'it has looked at the claims')
  return { id, after, ledger }
}

describe.concurrent('P1, §5: a claim that a stop was to give back', () => {
  it('is held on to by the next start where the release surely had no effect', async () => {
    await using bench = await Bench.open()
    const { after, id } = await restarted(bench, REFUSED, async (_, ctx) => await obey(ctx))

    expect(after.all('worker.resumed')).toMatchObject([{ claims: 1, gone: 0 }])
    await after.seen('clink.completed', id)
    expect(after.all('clink.started', id)).toMatchObject([{ attempt: 1 }])
    expect(story(bench.emulator, id)).not.toContain('released')
  })

  it('waits out its time where its handler has given it back for a while', async () => {
    await using bench = await Bench.open()
    const { after, id } = await restarted(bench, REFUSED, (_, ctx) => ctx.release('later'))

    expect(after.all('worker.resumed')).toMatchObject([{ claims: 1, gone: 0 }])
    expect(after.all('clink.parked', id)).toMatchObject([{ why: 'cooling' }])
    await after.daemon.stop('test')
    expect([after.all('clink.started', id), story(bench.emulator, id).at(-1)]).toEqual([[], 'released'])
  })

  it('is left to its end where the release may have had an effect', async () => {
    await using bench = await Bench.open()
    const { after, id, ledger } = await restarted(bench, { hang: 'before' }, async (_, ctx) => await obey(ctx))

    expect(after.all('worker.resumed')).toMatchObject([{ claims: 0, gone: 1 }])
    expect([after.all('clink.started', id), ledger.process.claims()]).toEqual([[], []])
  })
})
