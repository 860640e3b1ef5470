import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { wishIsOver } from '../../support/wish.ts'
import { handler, logLines, Site } from '../../support/site.ts'

const untilDraining = handler(`
  await new Promise((resolve) => ctx.draining.addEventListener('abort', resolve))
  return 'finished while draining'
`)
const untilAborted = handler(`
  await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))
`)
const deaf = handler('await new Promise((resolve) => setTimeout(resolve, 600_000))')

test('TERM lets what runs finish, tells Clink, and exits with 0', async () => {
  await using site = await Site.start({ 'handlers/h.js': untilDraining })
  const { clink_id: id } = site.emulator.send('ops', 'hello')
  await using worker = site.run()
  await worker.said(/clink\.started/)
  worker.kill('SIGTERM')
  expect(await worker.ended).toMatchObject({ code: 0, stderr: '' })
  expect(site.emulator.clink(id)).toMatchObject({ status: 'completed' })
  expect(logLines(worker.stdout).at(-1)).toMatchObject({ event: 'worker.stopped', completed: 1, leftBehind: [] })
})

test('a second signal skips the drain: what runs is aborted and given back', async () => {
  await using site = await Site.start({ 'handlers/h.js': untilAborted })
  const { clink_id: id } = site.emulator.send('ops', 'hello')
  await using worker = site.run('--set', 'shutdown.timeout=10m', '--set', 'shutdown.drain=9m')
  await worker.said(/clink\.started/)
  worker.kill('SIGINT')
  await worker.said(/worker\.stopping/)
  await wishIsOver()
  worker.kill('SIGTERM')
  expect(await worker.ended).toMatchObject({ code: 0 })
  expect(site.emulator.clink(id)).toMatchObject({ status: 'pending' })
  expect(worker.stdout).toContain('"why":"shutdown"')
})

test('a third signal ends the process at once, with 70', async () => {
  await using site = await Site.start({ 'handlers/h.js': deaf })
  site.emulator.send('ops', 'hello')
  await using worker = site.run('--set', 'shutdown.timeout=10m', '--set', 'shutdown.drain=9m')
  await worker.said(/clink\.started/)
  worker.kill('SIGTERM')
  await worker.said(/worker\.stopping/)
  await wishIsOver()
  worker.kill('SIGTERM')
  await worker.said(/worker\.aborting/)
  await wishIsOver()
  worker.kill('SIGTERM')
  expect(await worker.ended).toMatchObject({ code: 70, signal: null })
})

test('a TERM while handlers are still being loaded is a whole stop, with 0', async () => {
  await using site = await Site.start({
    'handlers/h.js': `process.stderr.write('loading')\nawait new Promise((resolve) => setTimeout(resolve, 20_000))\n`,
  })
  await using worker = site.run()
  await worker.said(/loading/, 'stderr')
  worker.kill('SIGTERM')
  expect(await worker.ended).toMatchObject({ code: 0, signal: null, stdout: '' })
})

test('HUP loads the handlers again, and a broken one leaves those in use', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler(`return 'first'`) })
  const file = join(site.dir.path, 'handlers/h.js')
  await using worker = site.run('--set', 'log.content=true')
  await worker.said(/worker\.ready/)

  writeFileSync(file, 'export default 5')
  worker.kill('SIGHUP')
  await worker.said(/handlers\.failed.*handlers\/h\.js.*"kept":1/)
  site.emulator.send('ops', 'one')
  await worker.said(/clink\.completed.*"response":"first"/)

  writeFileSync(file, handler(`return 'second'`))
  worker.kill('SIGHUP')
  await worker.said(/handlers\.loaded.*"files":\["handlers\/h\.js"\]/)
  site.emulator.send('ops', 'two')
  await worker.said(/clink\.completed.*"response":"second"/)
  worker.kill('SIGTERM')
  expect(await worker.ended).toMatchObject({ code: 0 })
})

test.each(['batch', 'select'])('USR2 logs how many clinks no route takes, with inbox.claim: %s (§4)', async (claim) => {
  await using site = await Site.start({
    'handlers/deploy.js': `export default { match: { content: /^deploy/ }, handle: () => {} }`,
    'clink-worker.yaml': `inbox: { claim: ${claim} }\nclaim: { exclusive: true }\n`,
  })
  for (const text of ['one', 'two']) site.emulator.send('ops', text)
  await using worker = site.run()
  await worker.said(/no-route[^]*no-route/)
  worker.kill('SIGUSR2')
  await worker.said(/worker\.status/)
  const line = logLines(worker.stdout).find(({ event }) => event === 'worker.status')
  expect(line).toMatchObject({ running: 0, unrouted: 2 })
})

test('USR2 logs what is in hand', async () => {
  await using site = await Site.start({ 'handlers/h.js': untilAborted })
  site.emulator.send('ops', 'hello')
  await using worker = site.run()
  await worker.said(/clink\.started/)
  worker.kill('SIGUSR2')
  await worker.said(/worker\.status/)
  const line = logLines(worker.stdout).find(({ event }) => event === 'worker.status')
  expect(line).toMatchObject({ level: 'info', running: 1, queued: 0, completed: 0 })
})
