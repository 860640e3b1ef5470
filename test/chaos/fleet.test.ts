import { expect, it } from 'vitest'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { playFleet } from './fleet-chaos.ts'

const cluster = clusterOfFile()

it('three workers and their database are killed every few seconds: nothing is lost, nothing done twice', async (context) => {
  needPostgres(context)
  const said: string[] = []
  const options = { seconds: 20, seed: 20_261_128, perSecond: 10, say: (line: string) => void said.push(line) }
  const { clinks, crashes, cuts, faults } = await playFleet(cluster, options)
  expect(faults, said.join('\n')).toEqual([])
  expect(clinks).toBeGreaterThan(50)
  expect(cuts).toBeGreaterThan(2)
  expect(crashes).toBeGreaterThan(0)
}, 240_000)
