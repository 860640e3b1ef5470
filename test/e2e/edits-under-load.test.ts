import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { handler, logLines, Site } from '../support/site.ts'
import { until } from '../support/until.ts'

const EDITS = 100

const HANDLER = `import { version } from '../lib/version.js'\n${handler("await new Promise((done) => setTimeout(done, 10))\nreturn 'by ' + version")}`
const version = (of: number): string => `export const version = ${of}\n`

it('100 edits of a file that a handler imports, every tenth broken, fail no clink of a busy sender, and each broken state is shown (§4)', async () => {
  await using site = await Site.start({ 'handlers/h.js': HANDLER, 'lib/version.js': version(0) })
  await using worker = site.run('--set', 'handlers.watch=true', '--set', 'log.content=true')
  await worker.said(/worker\.ready/)
  const file = join(site.dir.path, 'lib/version.js')
  // The last line may be half written.
  const whole = (): string => worker.stdout.slice(0, worker.stdout.lastIndexOf('\n') + 1)
  const facts = (name: string) => logLines(whole()).filter(({ event }) => event === name)
  const over = new AbortController()
  let sent = 0
  const sender = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      const { clink_id: id } = site.emulator.send('ops', `work ${sent}`, { from: 'alice' })
      sent += 1
      await until(() => site.emulator.clink(id)?.status === 'completed', 'the answer')
    }
  })()
  for (let edit = 1; edit <= EDITS; edit += 1) {
    const isBroken = edit % 10 === 0
    const fact = isBroken ? 'handlers.failed' : 'handlers.loaded'
    const before = facts(fact).length
    const text = isBroken ? `export const version = ${edit} +\n` : version(edit)
    // Some editors write a file in its place, others put a new one there.
    if (edit % 2 === 0) await writeFile(file, text)
    else {
      await writeFile(`${file}.new`, text)
      await rename(`${file}.new`, file)
    }
    await until(() => facts(fact).length > before, `edit ${edit}`)
  }
  over.abort()
  await sender
  // The worker says it after the service has it.
  await until(() => facts('clink.completed').length >= sent, 'the last answer is told')
  // On a busy machine one edit may be seen in two states.
  expect(facts('handlers.loaded').length).toBeGreaterThanOrEqual(EDITS - EDITS / 10)
  const shown = facts('handlers.failed').map(({ error }) => JSON.stringify(error))
  const named = shown.filter((text) => text.includes('version.js:2') || text.includes('version.js:1'))
  expect(named.length).toBeGreaterThanOrEqual(EDITS / 10)
  expect(facts('clink.ended').filter(({ outcome }) => outcome !== 'done')).toEqual([])
  expect(facts('clink.completed')).toHaveLength(sent)
  const answers = facts('clink.completed').map(({ response }) => Number(String(response).slice('by '.length)))
  // Each is of a version that was whole, and none is of one before that of the answer before.
  expect(answers.filter((answer) => answer > 0 && answer % 10 === 0)).toEqual([])
  expect(answers).toEqual(answers.toSorted((one, other) => one - other))
  expect(new Set(answers).size).toBeGreaterThan(EDITS / 2)
  expect(sent).toBeGreaterThan(EDITS)
}, 180_000)
