import { describe, expect, it } from 'vitest'
import type { Batch } from '../../src/fleet/store.ts'
import { clusterOfFile } from '../support/postgres.ts'
import { clink } from '../support/sample-records.ts'
import { sharedStores } from './simulated/shared-stores.ts'

const { clink_id: id } = clink
const HOUR = 3_600_000
const MINUTE = 60_000

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

describe.for(sharedStores(clusterOfFile()))('a clink that members leave alone, %s', ([, open]) => {
  it('waits for as long as the longer of two waits says, by the clock of the store and by no other (P10)', async (context) => {
    const store = await open(context)
    const left = async (): Promise<number> => (await store.notesOf(id))[0]?.left ?? Number.NaN
    await store.write(wait(MINUTE, HOUR))
    expect(await left()).toBeLessThanOrEqual(MINUTE)
    await store.write(wait(10 * MINUTE, 0))
    expect(await left()).toBeGreaterThan(5 * MINUTE)
    await store.write(wait(MINUTE, HOUR))
    expect(await left()).toBeGreaterThan(5 * MINUTE)
    expect(await left()).toBeLessThanOrEqual(10 * MINUTE)
  })
})
