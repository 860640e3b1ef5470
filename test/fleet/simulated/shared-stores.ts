import type { TestContext } from 'vitest'
import { Secret } from '../../../src/base/secret.ts'
import { PostgresStore } from '../../../src/fleet/postgres.ts'
import type { Batch, Note } from '../../../src/fleet/store.ts'
import { needPostgres, type clusterOfFile } from '../../support/postgres.ts'
import { SharedRows } from './shared-rows.ts'

/** What a member writes to a store, and what is there of a clink then. */
export interface SharedNotes {
  write(batch: Batch): Promise<readonly Note[]>
  notesOf(id: string): Promise<readonly Note[]>
}

/** By name: the store of a fleet, and that of the simulation, which has to do the same. */
export function sharedStores(cluster: ReturnType<typeof clusterOfFile>) {
  return Object.entries({
    'in PostgreSQL': async (context: TestContext): Promise<SharedNotes> => {
      needPostgres(context)
      const url = new Secret(await cluster.database())
      const store = new PostgresStore({ url, fleet: 'one', member: 'a', name: 'host', version: '1.0.0' })
      context.onTestFinished(async () => await store.close())
      await store.prepare()
      return {
        write: async (batch) => await store.write(batch),
        notesOf: async (id) => (await store.recall([id])).notes,
      }
    },
    simulated: async (): Promise<SharedNotes> => {
      let [now, written] = [0, 0]
      const rows = new SharedRows(() => (now += 1))
      return await Promise.resolve({
        write: async (batch) => await Promise.resolve(rows.write(batch, 'a', (written += 1))),
        notesOf: async (id) => await Promise.resolve(rows.recall([id], 'b').notes),
      })
    },
  })
}
