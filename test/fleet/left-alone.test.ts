import { describe, expect, it, type TestContext } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { PostgresStore } from '../../src/fleet/postgres.ts'
import type { Batch, Note } from '../../src/fleet/store.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { clink } from '../support/sample-records.ts'
import { SharedRows } from './simulated/shared-rows.ts'

const { clink_id: id } = clink
const HOUR = 3_600_000
const MINUTE = 60_000
const cluster = clusterOfFile()

interface Shared {
  write(batch: Batch): Promise<unknown>
  recall(): Promise<readonly Note[]>
}

const kinds = {
  'in PostgreSQL': async (context: TestContext): Promise<Shared> => {
    needPostgres(context)
    const url = new Secret(await cluster.database())
    const store = new PostgresStore({ url, fleet: 'one', member: 'a', name: 'host', version: '1.0.0' })
    context.onTestFinished(async () => await store.close())
    await store.prepare()
    return { write: async (batch) => await store.write(batch), recall: async () => (await store.recall([id])).notes }
  },
  simulated: async (): Promise<Shared> => {
    let [now, written] = [0, 0]
    const rows = new SharedRows(() => (now += 1))
    return await Promise.resolve({
      write: async (batch) => await Promise.resolve(rows.write(batch, 'a', (written += 1))),
      recall: async () => await Promise.resolve(rows.recall([id], 'b').notes),
    })
  },
}

/** One member wants the clink left alone from now on. @param ahead milliseconds by which its clock is ahead. */
function wait(ms: number, ahead: number): Batch {
  const row = JSON.stringify({ at: Date.now() + ahead + ms, for: ms })
  return {
    over: [],
    parts: [],
    notes: [{ kind: 'cooling', id, row, isNew: true }],
    steps: { dropped: [], removed: [], kept: [] },
  }
}

describe.for(Object.entries(kinds))('a clink that members leave alone, %s', ([, open]) => {
  it('waits for as long as the longer of two waits says, by the clock of the store and by no other (P10)', async (context) => {
    const store = await open(context)
    const left = async (): Promise<number> => (await store.recall())[0]?.left ?? Number.NaN
    await store.write(wait(MINUTE, HOUR))
    expect(await left()).toBeLessThanOrEqual(MINUTE)
    await store.write(wait(10 * MINUTE, 0))
    expect(await left()).toBeGreaterThan(5 * MINUTE)
    await store.write(wait(MINUTE, HOUR))
    expect(await left()).toBeGreaterThan(5 * MINUTE)
    expect(await left()).toBeLessThanOrEqual(10 * MINUTE)
  })
})
