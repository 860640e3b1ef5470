import { Cluster } from '../test/support/postgres.ts'

/** PostgreSQL in a cluster of its own, and how many statements it has carried out for workers. */
export async function countedStore() {
  const cluster = new Cluster({ settings: ['shared_preload_libraries=pg_stat_statements', 'max_connections=100'] })
  await cluster.start()
  const statistics = await cluster.database()
  await cluster.sql('CREATE EXTENSION pg_stat_statements', statistics)
  const counted = `SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query LIKE '%clink_worker%'`
  return { cluster, statements: async () => Number(await cluster.sql(counted, statistics)) }
}
