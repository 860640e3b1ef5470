import { expect, it } from 'vitest'
import { answer } from '../../../src/control/requests.ts'
import { clinkWorker } from '../../support/cli.ts'
import { clink } from '../../support/sample-records.ts'
import { letter, open } from '../../support/states.ts'
import { TempDir } from '../../support/temp-dir.ts'

const PLACE = '127.0.0.1:1/base'
const AWAY = `the shared store ${PLACE}: nothing listens there`
const env = { CLINK_STATE_URL: `postgresql://me@${PLACE}` }

/** The state directory of a worker that does not run, with so many dead letters. */
async function stateWith(directory: string, ...ids: readonly string[]) {
  const state = open(`${directory}/state`)
  for (const id of ids) await state.ledger.deadLetter({ ...letter, clink: { ...clink, clink_id: id } })
  state.close()
  return async (...args: readonly string[]) =>
    await clinkWorker([...args, '--set', 'state.directory=state'], { cwd: directory, env })
}

it('nothing that only the store of the fleet can say is said without it, where no worker runs', async () => {
  using directory = new TempDir()
  const command = await stateWith(directory.path)
  for (const args of [
    ['failed', 'list'],
    ['failed', 'show', 'msg_1'],
    ['failed', 'retry', 'msg_1'],
    ['failed', 'discard', '--all'],
    ['failed', 'retry', '--route', 'pay', '--json'],
    ['status', '--audit'],
    ['status', '--audit', '--json'],
  ]) {
    const said = await command(...args)
    expect(said, args.join(' ')).toMatchObject({
      code: 75,
      stdout: '',
      stderr: expect.stringContaining('the shared store'),
    })
  }
  expect(await command('failed', 'list', '--json')).toMatchObject({ code: 75, stdout: '[]\n' })
}, 60_000)

it('what is known here is told, and that there may be more', async () => {
  using directory = new TempDir()
  const command = await stateWith(directory.path, 'msg_1', 'msg_2')
  for (const args of [['list'], ['show', 'msg_1']]) {
    const { code, stderr, stdout } = await command('failed', ...args)
    expect([code, stdout]).toEqual([75, expect.stringContaining('msg_1')])
    expect(stderr).toContain(`${AWAY}; what other workers of the fleet have done since may be missing`)
  }
  expect(await command('failed', 'discard', '--all')).toMatchObject({ code: 75, stdout: '' })
  expect((await command('failed', 'list')).stdout).toContain('msg_2')
  // Late results are each worker's own, and so are pauses.
  expect(await command('failed', 'list', '--late')).toMatchObject({ code: 0, stdout: 'no late results\n' })
  expect(await command('pause')).toMatchObject({ code: 0, stderr: '' })
}, 60_000)

it('a worker that runs tells with its dead letters why others may be missing', async () => {
  using directory = new TempDir()
  const { ledger } = open(directory.path)
  const page = { rows: [], away: AWAY }
  const asked = { ledger, away: () => AWAY, worker: undefined }
  expect(await answer({ request: 'failed.letters' }, asked)).toEqual(page)
  expect(await answer({ request: 'failed.letter', id: 'msg_1' }, asked)).toEqual(page)
  await expect(answer({ request: 'clinks.remembered', ids: ['msg_1'] }, asked)).rejects.toThrow(AWAY)
})
