import { expect, it } from 'vitest'
import { logLines } from '../support/site.ts'
import { Site } from '../support/command.ts'

const handler = `
export default (clink, ctx) => {
  if (clink.content.startsWith('down')) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  if (clink.content.startsWith('late')) void Promise.resolve().then(() => JSON.parse(clink.content))
  if (clink.content.startsWith('no')) return ctx.reject('will not do: ' + clink.content)
  try {
    return JSON.parse(clink.content)
  } catch (cause) {
    throw clink.content.startsWith('wrapped') ? new Error('cannot read it', { cause }) : cause
  }
}
`
const config = (content: boolean): string => `
poll: { interval: 50ms, maxInterval: 100ms }
retry: { attempts: 2, backoff: 10ms }
log: { level: debug, content: ${content} }
`
const TEXTS = ['say: the harbour gate code', 'no, the harbour gate code', 'down', 'wrapped: the harbour gate code']
const SECRET = /harbour|say: the|wrapped: the|gate code/

it('P13: an error that quotes a clink is logged by its kind and place, and kept whole for the operator', async () => {
  await using site = await Site.open({ handler, config: config(false) })
  const [quoted = '', rejected = '', other = '', wrapped = ''] = TEXTS.map(
    (text) => site.emulator.send('ops', text).clink_id,
  )
  const worker = site.start('run', '--once', '--max-time', '20s')
  expect(await worker.exited, worker.output).toBe(1)
  expect(worker.output).not.toMatch(SECRET)

  const lines = logLines(worker.output)
  const line = (event: string, clink: string): unknown =>
    lines.find((one) => one['event'] === event && one['clink'] === clink)
  const unsaid = 'not shown, it quotes the clink; "clink-worker failed show" has it, and log.content shows it'
  expect(line('clink.ended', quoted)).toMatchObject({
    reason: 'the handler threw an error',
    said: unsaid,
    error: { name: 'SyntaxError', message: unsaid, at: 'handlers/work.ts:7' },
  })
  for (const [event, field] of [
    ['clink.held', 'why'],
    ['clink.deadLettered', 'reason'],
  ] as const) {
    expect(line(event, quoted)).toMatchObject({ [field]: `SyntaxError at handlers/work.ts:7; ${unsaid}` })
  }
  expect(line('clink.ended', rejected)).toMatchObject({ reason: 'rejected by the handler', said: unsaid })
  expect(line('clink.deadLettered', rejected)).toMatchObject({ reason: `rejected by the handler; ${unsaid}` })
  expect(line('clink.ended', wrapped)).toMatchObject({ error: { message: unsaid, at: 'handlers/work.ts:9' } })
  // One that quotes nothing stays as helpful as it is.
  expect(line('clink.ended', other)).toMatchObject({
    reason: 'the handler threw an error',
    said: 'connect ECONNREFUSED',
    error: { message: 'connect ECONNREFUSED', code: 'ECONNREFUSED' },
  })
  expect(line('clink.deadLettered', other)).toMatchObject({ reason: 'connect ECONNREFUSED' })

  const kept = site.start('failed', 'show', rejected)
  expect(await kept.exited).toBe(0)
  expect(kept.output).toContain('will not do: no, the harbour gate code')
})

it('P13: how a program ended is said in the words of the worker, whatever the program has said', async () => {
  const route = 'routes: [{ name: program, exec: [sh, -c, "cat >&2; exit 3"] }]\n'
  await using site = await Site.open({ handler, config: config(false) + route })
  const { clink_id: id } = site.emulator.send('ops', 'the harbour gate code')
  const worker = site.start('run', '--once', '--max-time', '20s', '--log-level', 'info')
  expect(await worker.exited, worker.output).toBe(1)
  const ended = logLines(worker.output).filter(({ clink, event }) => event === 'clink.ended' && clink === id)
  expect(ended[0]).toMatchObject({
    reason: 'the program ended with exit code 3',
    said: expect.stringContaining('not shown'),
  })
  expect(JSON.stringify(ended)).not.toMatch(SECRET)
  const letter = logLines(worker.output).find(({ event }) => event === 'clink.deadLettered')
  expect(letter).toMatchObject({ reason: expect.stringMatching(/^the program ended with exit code 3; not shown/) })
  expect(letter).not.toMatchObject({ reason: expect.stringMatching(SECRET) })
})

it('P13: so is one that nobody catches', async () => {
  await using site = await Site.open({ handler, config: config(false) })
  site.emulator.send('ops', 'late: the harbour gate code')
  const worker = site.start('run')
  expect(await worker.exited, worker.output).toBe(70)
  expect(worker.output).not.toMatch(/harbour|late: the/)
  expect(logLines(worker.output)).toContainEqual(
    expect.objectContaining({
      event: 'worker.failed',
      error: expect.objectContaining({ name: 'SyntaxError', at: 'handlers/work.ts:4' }),
    }),
  )
})

it('with log.content it is logged as it is', async () => {
  await using site = await Site.open({ handler, config: config(true) })
  site.emulator.send('ops', TEXTS[0] ?? '')
  const worker = site.start('run', '--once', '--max-time', '20s')
  expect(await worker.exited, worker.output).toBe(1)
  expect(worker.output).toContain('say: the h')
})
