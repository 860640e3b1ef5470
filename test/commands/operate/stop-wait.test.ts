import { join } from 'node:path'
import { expect, test } from 'vitest'
import { linkToWorker } from '../../../src/control/client.ts'
import type { Ended } from '../../support/cli.ts'
import { handler, Site } from '../../support/site.ts'

async function say(site: Site, ...args: string[]): Promise<Ended> {
  return await site.say(...args)
}

/** Heeds its abort. */
const HANGS = handler(`
  await new Promise((resolve, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))`)

test.for([
  [[], /^stopped, and left 1 claim behind: (\S+); such a clink comes back .*\n$/],
  [['--json'], /^{"stopped":true,"leftBehind":\["(\S+)"\]}\n$/],
] as const)(
  'stop --wait %s names the claims that were left behind, and ends with 70 as the process does',
  async ([flags, pattern]) => {
    await using site = await Site.start({ 'handlers/h.js': HANGS })
    site.emulator.addFault({ operation: 'release_clink', then: { hang: 'before' } })
    const id = site.emulator.send('ops', 'work').clink_id
    await using worker = site.run('--set', 'shutdown.timeout=2s', '--set', 'shutdown.drain=500ms')
    await worker.said(/clink\.started/)
    const ended = await say(site, 'stop', '--wait', ...flags)
    expect([ended.code, pattern.exec(ended.stdout)?.[1]], ended.stdout).toEqual([70, id])
    await worker.ended
  },
)

test('stop --wait ends with 0 where nothing is left behind', async () => {
  await using site = await Site.start({ 'handlers/h.js': HANGS })
  site.emulator.send('ops', 'work')
  await using worker = site.run('--set', 'shutdown.drain=300ms')
  await worker.said(/clink\.started/)
  const ended = await say(site, 'stop', '--wait', '--json')
  expect(ended).toMatchObject({ code: 0, stdout: '{"stopped":true,"leftBehind":[]}\n' })
  expect((await worker.ended).code).toBe(0)
})

test('stop --wait ends with 70 where the process was ended before it had stopped', async () => {
  await using site = await Site.start({
    'handlers/h.js': handler('while (true) await new Promise((resolve) => setTimeout(resolve, 20))'),
  })
  site.emulator.send('ops', 'work')
  await using worker = site.run('--set', 'shutdown.drain=300ms')
  await worker.said(/clink\.started/)
  await using stop = site.cli(['stop', '--wait'])
  await worker.said(/worker\.aborting/)
  worker.kill('SIGKILL')
  expect(await stop.ended).toMatchObject({
    code: 70,
    stdout: expect.stringMatching(/^its process was ended before it had stopped: .*`clink-worker state info`/),
  })
  expect((await say(site, 'state', 'info')).stdout).toMatch(/claims in hand +1\n/)
})

test('whether a stop has ended is not answered where none has begun', async () => {
  await using site = await Site.start({ 'handlers/h.js': HANGS })
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  const link = await linkToWorker(join(site.dir.path, 'state'))
  if (link instanceof Error) throw link
  await expect(link.ask('stopped', {})).rejects.toThrow('no stop has begun')
  await link.close()
})
