import { expect, test } from 'vitest'
import { handler, Site } from '../../support/site.ts'

const WAITS = "await new Promise((resolve) => setTimeout(resolve, 20_000).unref())\n  return 'done'"

test('drain --wait ends with 1 and says so when somebody resumes the worker meanwhile', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler(WAITS) })
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  site.emulator.send('ops', 'work')
  await worker.said(/clink\.started/)
  await using text = site.cli(['drain', '--wait'])
  await using json = site.cli(['drain', '--wait', '--timeout', '1h', '--json'])
  await worker.said(/operator\.acted.*drain[^]*operator\.acted.*drain/)
  await using resumed = site.cli(['resume'])
  expect(await resumed.ended).toMatchObject({ code: 0, stdout: 'resumed\n' })
  expect(await text.ended).toMatchObject({
    code: 1,
    // One, and a poll that may be on its way.
    stdout: expect.stringMatching(/^not drained, somebody has resumed the worker meanwhile: [12] in hand\n$/),
    stderr: '',
  })
  const { code, stdout } = await json.ended
  expect([code, JSON.parse(stdout)]).toEqual([1, { inHand: expect.any(Number), isDone: false, isDraining: false }])
})
