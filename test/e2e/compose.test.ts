import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Composed, needComposed } from '../support/composed.ts'
import { until } from '../support/until.ts'

const alice = { CLINK_API_KEY: 'sk_live_u_emulator_alice' }
/** The commands that the file shows, without the engine. */
const shown = readFileSync(join(import.meta.dirname, '../../deploy/compose.yaml'), 'utf8')
  .split('\n')
  .flatMap((line) => /^#.* exec (?:-e \S+ |--index \d+ )?worker (clink-worker .*)$/.exec(line)?.[1] ?? [])

it('deploy/compose.yaml shows a fleet at work: three workers share what comes and what fails, and one that stops leaves', async (context) => {
  needComposed(context)
  expect(shown).toEqual([
    'clink-worker status --fleet',
    'clink-worker send ops "good morning"',
    'clink-worker inbox',
    'clink-worker failed list',
  ])
  await using composed = await Composed.up()
  const [one, two, three] = [1, 2, 3].map((index) => composed.replica('worker', index))
  const people = composed.replica('people')
  expect(await people.ended, people.output).toBe(0)
  expect(people.output.match(/^sent /gm)?.length).toBe(21)

  const sent = await one?.exec(['clink-worker', 'send', 'ops', 'good morning'], alice)
  expect(sent?.output).toMatch(/^sent \S+ to ops\n$/)
  const inbox = async (): Promise<string> =>
    (await one?.exec(['clink-worker', 'inbox', '--limit', '100'], alice))?.output ?? ''
  await until(
    async () => (await inbox()).match(/worker-\d did it: (task|good morning)/g)?.length === 21,
    () => `all are answered:\n${one?.output}`,
  )
  for (const name of ['worker-1', 'worker-2', 'worker-3']) expect(await inbox()).toContain(`${name} did it`)

  await until(
    async () => (await two?.exec(['clink-worker', 'failed', 'list']))?.output.includes('attempt 3 on worker-') === true,
    () => `the second knows of it:\n${two?.output}`,
  )
  const starts = [one, two, three].flatMap(
    (worker) => worker?.output.match(/attempt \d on worker-\d has failed/g) ?? [],
  )
  expect(new Set(starts.map((text) => text.slice(0, 9)))).toEqual(new Set(['attempt 1', 'attempt 2', 'attempt 3']))

  const fleet = await three?.exec(['clink-worker', 'status', '--fleet'])
  expect(fleet?.output).toMatch(/^fleet default · .*database:5432\/clink\n/)
  expect(fleet?.output.match(/^worker-\d .* ready /gm)?.length).toBe(3)
  three?.signal('SIGTERM')
  expect(await three?.ended).toBe(0)
  expect((await one?.exec(['clink-worker', 'status', '--fleet']))?.output.match(/^worker-\d /gm)?.length).toBe(2)
}, 240_000)
