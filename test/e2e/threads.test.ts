import { describe, expect, it } from 'vitest'
import { Site } from '../support/command.ts'
import { answers, story, times } from '../support/record.ts'
import { until } from '../support/until.ts'

/** A handler with the file of notes, in TypeScript. */
const handler = (code: string): string => `
import { appendFileSync } from 'node:fs'
import { defineHandler } from 'clink-worker'
const note = (text: string): void => appendFileSync(process.env['NOTES'] ?? '', text + '\\n')
const burn = (ms: number): void => { for (const end = Date.now() + ms; Date.now() < end; ); }
export default defineHandler(async (clink, ctx) => {
  note(clink.content + ' ' + ctx.attempt)
  ${code}
})
`

const noted = async (site: Site, count: number): Promise<void> =>
  await until(async () => (await site.noted()).length >= count, `${count} starts are noted`)

describe('handlers in threads, by the command', () => {
  it('a loop ten times as long as the lease keeps its claim, and one without an end is killed (P4, P11)', async () => {
    const config = `
handlers: { runner: thread, timeout: 30s, grace: 500ms }
claim: { timeout: 2s }
retry: { attempts: 1 }
concurrency: 2
`
    const code = `if (clink.content === 'endless') for (;;);
  burn(clink.content === 'long' ? 20_000 : 10)
  return 'burned'`
    await using site = await Site.open({
      handler: handler(code),
      config,
      emulator: { switches: { defaultTimeout: 2 } },
    })
    const [long = '', endless = ''] = ['long', 'endless'].map((text) => site.emulator.send('ops', text).clink_id)
    const command = site.start('run')
    await until(
      () => site.emulator.clink(long)?.status === 'completed',
      () => `the long one is done:\n${command.output}`,
    )
    await until(
      () => command.output.includes('"event":"clink.deadLettered"'),
      () => `the endless one has failed:\n${command.output}`,
    )
    const after = ['third', 'fourth'].map((text) => site.emulator.send('ops', text).clink_id)
    await until(
      () => after.every((id) => site.emulator.clink(id)?.status === 'completed'),
      () => `both slots work on:\n${command.output}`,
    )
    command.signal('SIGTERM')
    expect(await command.exited, command.output).toBe(0)
    expect(story(site.emulator, long)).toEqual(['created', 'claimed', 'completed'])
    expect(times(site.emulator, long, 'renewed')).toBeGreaterThan(10)
    expect(story(site.emulator, endless)).not.toContain('expired')
    expect(command.output).toContain('timeout: the handler ran longer than 30s')
    expect(command.output).not.toContain('worker.stoodStill')
  }, 120_000)

  it('a stop lets runs finish, and ends those that heed nothing, which costs no attempt (P8)', async () => {
    const config = `
handlers: { runner: thread }
concurrency: 2
shutdown: { timeout: 8s, drain: 4s }
`
    const code = `if (clink.content === 'endless') for (;;);
  burn(1_500)
  return 'finished'`
    await using site = await Site.open({ handler: handler(code), config })
    const [short = '', endless = ''] = ['short', 'endless'].map((text) => site.emulator.send('ops', text).clink_id)
    const command = site.start('run')
    await noted(site, 2)
    command.signal('SIGTERM')
    expect(await command.exited, command.output).toBe(0)
    expect(story(site.emulator, short)).toEqual(['created', 'claimed', 'completed'])
    expect(story(site.emulator, endless)).toEqual(['created', 'claimed', 'released'])
    const again = site.start('run')
    await noted(site, 3)
    expect((await site.noted()).filter((line) => line.startsWith('endless'))).toEqual(['endless 1', 'endless 1'])
    again.signal('SIGTERM')
    expect(await again.exited, again.output).toBe(0)
  })

  it('after a kill -9 the next start holds on to the claim, and runs the clink again (P9)', async () => {
    const config = 'handlers: { runner: thread }\n'
    const code = "if (ctx.attempt === 1) for (;;);\n  return 'second'"
    await using site = await Site.open({ handler: handler(code), config })
    const { clink_id: id } = site.emulator.send('ops', 'hello')
    const first = site.start('run')
    await noted(site, 1)
    first.signal('SIGKILL')
    await first.exited
    const second = site.start('run')
    await until(
      () => site.emulator.clink(id)?.status === 'completed',
      () => `it is done:\n${second.output}`,
    )
    second.signal('SIGTERM')
    expect(await second.exited, second.output).toBe(0)
    expect(story(site.emulator, id)).toEqual(['created', 'claimed', 'completed'])
    expect(await site.noted()).toEqual(['hello 1', 'hello 2'])
  })

  it('200 clinks under faults: none is lost, none is completed twice (P1, P5)', async () => {
    const config = `
handlers: { runner: thread }
concurrency: 4
retry: { backoff: 50ms, maxBackoff: 200ms }
poll: { interval: 50ms, maxInterval: 200ms }
`
    const code = `const n = Number(clink.content.split(' ')[1])
  if (n % 20 === 3 && ctx.attempt === 1) process.exit(1)
  if (n % 20 === 7 && ctx.attempt === 1) throw new Error('once')
  if (n % 20 === 11 && ctx.attempt === 1) { setTimeout(() => { throw new Error('nobody') }); await new Promise(() => {}) }
  if (n % 10 === 5) await ctx.reply('half done')
  return 'did ' + n`
    await using site = await Site.open({ handler: handler(code), config })
    const faults = [
      site.fault({ operation: 'complete_clink', every: 7 }, { cut: 'after' }),
      site.fault({ operation: 'complete_clink', every: 5 }, { status: 503 }),
      // Each of them may have claimed something, which is waited for: without an end to them the inbox is never known to be empty.
      site.fault({ operation: 'check_inbox', every: 4, times: 25 }, { status: 502, effect: true }),
      site.fault({ operation: 'claim_clink', every: 3 }, { cut: 'before' }),
    ]
    const ids = site.sendMany(200)
    const command = site.start('run', '--once')
    expect(await command.exited, command.output).toBe(0)
    expect(faults.filter(({ hits }) => hits === 0)).toEqual([])
    expect(ids.filter((id) => times(site.emulator, id, 'completed') !== 1)).toEqual([])
    const said = answers(site.emulator).map(({ content }) => content)
    expect(said.filter((text) => text.startsWith('did ')).toSorted()).toEqual(ids.map((_, n) => `did ${n}`).toSorted())
    const notes = site.emulator.clinks().filter(({ content }) => content.startsWith('half done'))
    expect(notes).toHaveLength(20)
    const starts = await site.noted()
    expect(starts.filter((line) => line.endsWith(' 2'))).toHaveLength(30)
  }, 180_000)
})
