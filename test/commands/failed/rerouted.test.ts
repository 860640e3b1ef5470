import { expect, test } from 'vitest'
import type { Cli, Ended } from '../../support/cli.ts'
import { handler, Site } from '../../support/site.ts'
import { until } from '../../support/until.ts'

const config = (...routes: string[]): Record<string, string> => ({
  'clink-worker.yaml': [
    'retry: { attempts: 1, onExhausted: complete }',
    'poll: { interval: 50ms }',
    'routes:',
    ...routes.map((name) => `  - { name: ${name}, use: ./h.js, match: { content: { prefix: wish } } }`),
    '  - { name: idle, use: ./h.js, match: { content: { prefix: idle } } }',
    '',
  ].join('\n'),
})

async function answer(site: Site, ...args: string[]): Promise<Ended> {
  await using cli = site.cli(args)
  const ended = await cli.ended
  expect(ended).toMatchObject({ code: 0, stderr: '' })
  return ended
}

/** A worker that has given up on two clinks, and whose handler is mended since. */
async function givenUp(): Promise<AsyncDisposable & { site: Site; ids: readonly string[]; worker: Cli }> {
  const site = await Site.start({ ...config('work'), 'h.js': handler("throw new Error('bad wish')") })
  const ids = ['wish one', 'wish two'].map((text) => site.emulator.send('ops', text, { from: 'bob' }).clink_id)
  const worker = site.run()
  for (const id of ids) await worker.said(new RegExp(`clink\\.deadLettered.*${id}`))
  await site.dir.write({ 'h.js': handler("return 'done now'") })
  await answer(site, 'reload')
  const close = async (): Promise<void> => {
    await worker[Symbol.asyncDispose]()
    await site[Symbol.asyncDispose]()
  }
  return { site, worker, ids, [Symbol.asyncDispose]: close }
}

test('letters that wait for a paused route wait for nobody else, and run once another route takes their clinks', async () => {
  await using made = await givenUp()
  const { site, worker, ids } = made
  expect((await answer(site, 'status')).stdout).toMatch(/\ngiven up +2 wait for a person, 2 so far\n/)
  await answer(site, 'pause', '--route', 'work')
  expect((await answer(site, 'failed', 'retry', '--all')).stdout).toMatch(/\n2 dead letters to be run again\n$/)
  let said = ''
  const isHeld = async (): Promise<boolean> => {
    said = (await answer(site, 'status')).stdout
    return /\nwork +2 +paused\n/.test(said)
  }
  await until(isHeld, 'the letters wait for the route')
  expect(said).toMatch(/\nin hand .*2 run again\n/)
  expect(said).toMatch(/\ngiven up +0 wait for a person, 2 so far\n/)

  await site.dir.write(config('work2'))
  await answer(site, 'reload')
  for (const id of ids) await worker.said(new RegExp(`clink\\.rerunDone.*${id}`))
  expect((await answer(site, 'failed', 'list')).stdout).toBe('no dead letters\n')
})

test('a retry of a letter whose clink no route takes keeps what the letter says, and adds why it did not begin', async () => {
  await using made = await givenUp()
  const { site, worker, ids } = made
  const [id = ''] = ids
  await site.dir.write(config())
  await answer(site, 'reload')
  await answer(site, 'failed', 'retry', id)
  await worker.said(new RegExp(`clink\\.deadLettered.*${id}.*no route`))
  const { stdout } = await answer(site, 'failed', 'show', id, '--json')
  const gone = 'no route takes it any more'
  expect(JSON.parse(stdout)).toMatchObject({ attempts: 1, reason: gone, errors: ['bad wish', gone] })
})
