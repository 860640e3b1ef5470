import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { Secret } from '../../src/base/secret.ts'
import { storeError } from '../../src/fleet/postgres-errors.ts'
import { Member } from '../support/fleet.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { clink } from '../support/sample-records.ts'

const cluster = clusterOfFile()

it('a member says why its store is away, for as long as it is, whatever it tries to tell it meanwhile', async (context) => {
  needPostgres(context)
  const url = await cluster.database()
  await using member = await new Member('a', url).start()
  await expect.poll(() => member.fleet.isHealthy).toBe(true)
  const name = new URL(url.replace('@/', '@host/')).pathname.slice(1)
  await cluster.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = on`, 'postgres')
  await cluster.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`, 'postgres')
  await member.take(clink)
  await member.begin(clink)
  const why = () => member.fleet.problem
  await expect.poll(why, { timeout: 8_000 }).toMatch(/: it can only be read, as a standby can$/)
  const said = new Set<string | undefined>()
  for (let looks = 0; looks < 400; looks += 1) {
    said.add(why())
    await sleep(10)
  }
  expect([...said]).toEqual([expect.stringMatching(/: it can only be read, as a standby can$/)])
}, 30_000)

it.each([
  ['Query read timeout', 'it does not answer in time'],
  ['Connection terminated due to connection timeout', 'it does not answer'],
  ['timeout exceeded when trying to connect', 'it does not answer'],
  ['Connection terminated unexpectedly', 'it has ended the connection'],
])('what the driver calls %s is said in other words', (message, said) => {
  expect(storeError(new Error(message), new Secret('postgresql://host/base')).message).toBe(said)
})
