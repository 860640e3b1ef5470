import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { clinkWorker } from '../../support/cli.ts'
import { handler, Site } from '../../support/site.ts'

const TALKS = handler(`
  ctx.log.info('begun', { words: clink.content.split(' ').length })
  if (clink.content === 'bad') throw new Error('no')
  if (ctx.attempt === 1) throw new Error('again')
  ctx.log.warn('nearly done')
  return 'done'`)

it('logs shows what a handler said for one clink, attempt by attempt, while the worker runs and afterwards', async () => {
  await using site = await Site.start({ 'handlers/talks.js': TALKS })
  const { clink_id: id } = site.emulator.send('ops', 'two words')
  const { clink_id: other } = site.emulator.send('ops', 'these are others')
  await using worker = site.run('--set', 'retry.backoff=100ms')
  await worker.said(new RegExp(`clink.completed.*${id}`))
  await worker.said(new RegExp(`clink.completed.*${other}`))
  await using follow = site.cli(['logs', id, '-f'])
  await follow.said(/nearly done/)
  const third = site.emulator.send('ops', 'a third one').clink_id
  await using next = site.cli(['logs', third, '-f'])
  await next.said(/nearly done/)
  for (const cli of [follow, next, worker]) cli.kill('SIGINT')
  await worker.ended

  const { code, stdout } = await clinkWorker(['logs', id], { cwd: site.dir.path })
  expect(code).toBe(0)
  expect(stdout.replaceAll(/\d{4}-\S+Z/g, 'TIME')).toBe(
    'attempt 1 · talks\n  TIME info  begun words=2\nattempt 2 · talks\n  TIME info  begun words=2\n  TIME warn  nearly done\n',
  )
  const json = await clinkWorker(['logs', id, '--json'], { cwd: site.dir.path })
  const lines = json.stdout
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
  expect(lines).toMatchObject([
    { clink: id, attempt: 1, handler: 'talks', level: 'info', message: 'begun', fields: { words: 2 } },
    { attempt: 2, message: 'begun' },
    { attempt: 2, message: 'nearly done' },
  ])
})

it('a dead letter shows the end of its log, and a clink of which nothing is kept says so', async () => {
  await using site = await Site.start({ 'handlers/talks.js': TALKS })
  const { clink_id: id } = site.emulator.send('ops', 'bad')
  await site.run('--once', '--set', 'retry.attempts=1').ended
  const shown = await clinkWorker(['failed', 'show', id], { cwd: site.dir.path })
  expect(shown.stdout).toMatch(/log\nattempt 1 · talks\n.* begun words=1\n/)
  expect(await clinkWorker(['logs', 'msg_unknown'], { cwd: site.dir.path })).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('nothing is kept that was said for msg_unknown'),
  })
})

it('with log.keep: null nothing is kept, and a wrong size is named', async () => {
  await using site = await Site.start({ 'handlers/talks.js': TALKS, 'clink-worker.yaml': 'log: { keep: null }\n' })
  const { clink_id: id } = site.emulator.send('ops', 'bad')
  await site.run('--once', '--set', 'retry.attempts=1').ended
  expect(await clinkWorker(['logs', id], { cwd: site.dir.path })).toMatchObject({ code: 1 })
  writeFileSync(join(site.dir.path, 'clink-worker.yaml'), 'log: { keep: { total: lots } }\n')
  const { code, stdout } = await clinkWorker(['check'], { cwd: site.dir.path })
  expect(code).toBe(78)
  expect(stdout).toMatch(/clink-worker\.yaml:1:\d+: log\.keep\.total.*lots.*is not a size/)
})
