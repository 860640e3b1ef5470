import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { handler, logLines, Site } from '../support/site.ts'
import { answers } from '../support/record.ts'
import { until } from '../support/until.ts'

const CLINKS = 60

it.each(['inline', 'thread'])(
  'a handler that is mended and reloaded (%s) does the clinks that its paused route has held, and gives none up (P10, §4)',
  async (runner) => {
    await using site = await Site.start({ 'handlers/h.js': handler("throw new Error('broken')") })
    const settings = ['handlers.watch=true', `handlers.runner=${runner}`, 'concurrency=10']
    const retry = ['retry.attempts=3', 'retry.backoff=300ms', 'retry.onExhausted=complete']
    await using worker = site.run(...[...settings, ...retry].flatMap((one) => ['--set', one]))
    await worker.said(/worker\.ready/)
    const ids = Array.from({ length: CLINKS }, (_, n) => site.emulator.send('ops', `work ${n}`).clink_id)
    await worker.said(/route\.paused/)
    await writeFile(join(site.dir.path, 'handlers/h.js'), handler("return 'mended'"))
    await until(() => ids.every((id) => site.emulator.clink(id)?.status === 'completed'), 'all are done', 60_000)

    const whole = worker.stdout.slice(0, worker.stdout.lastIndexOf('\n') + 1)
    const facts = (name: string) => logLines(whole).filter(({ event }) => event === name)
    expect(facts('clink.deadLettered')).toEqual([])
    expect(answers(site.emulator).map(({ content }) => content)).toEqual(ids.map(() => 'mended'))
  },
  120_000,
)
