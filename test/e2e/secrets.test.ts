import { describe, expect, it } from 'vitest'
import { Site } from '../support/command.ts'
import { until } from '../support/until.ts'

const handler = `
import { defineHandler } from 'clink-worker'

export default defineHandler({ passKey: true, handle: async (clink, ctx) => {
  const key = ctx.env['CLINK_API_KEY']
  ctx.log.info('the surroundings ' + key, { env: process.env, ctx, api: ctx.api, key })
  if (clink.content === 'task 0') throw Object.assign(new Error('failed with ' + key), { options: { headers: { key } }, ctx })
  if (clink.content === 'task 1') throw { key, api: ctx.api }
  if (clink.content === 'task 2') return ctx.reject('because of ' + key)
  if (clink.content === 'task 3') {
    await ctx.api.getMilestone({ milestone_id: 'none' }).catch((error) => { throw new Error('wrapped', { cause: error }) })
  }
  if (clink.content === 'task 4') return ctx.release('not with ' + key)
  return 'done'
} })
`
const config = `
concurrency: 3
retry: { attempts: 2, backoff: 50ms, maxBackoff: 100ms }
poll: { interval: 50ms, maxInterval: 200ms }
claim: { timeout: 2s }
clink: { timeout: 1s }
log: { level: trace, content: true, format: FORMAT }
`

describe.concurrent('P13: the key', () => {
  it.for(['json', 'pretty'])('is in no line of the log, whatever fails (%s)', { timeout: 60_000 }, async (format) => {
    await using site = await Site.open({
      handler,
      config: config.replace('FORMAT', format),
      emulator: { switches: { defaultTimeout: 2 } },
    })
    const { emulator } = site
    const faults = [
      site.fault({ operation: 'check_inbox', every: 3 }, { status: 500, body: emulator.key }),
      site.fault({ operation: 'check_inbox', every: 5 }, { cut: 'after' }),
      site.fault({ operation: 'check_inbox', every: 7 }, { truncate: 30 }),
      site.fault({ operation: 'complete_clink', every: 2, times: 2 }, { hang: 'before' }),
      site.fault({ operation: 'complete_clink', times: 2 }, { status: 502, body: '<html>' }),
      site.fault({ operation: 'release_clink', times: 1 }, { status: 403 }),
    ]
    const ids = site.sendMany(8)
    const command = site.start('run')
    await until(
      () => ids.slice(5).every((id) => emulator.clink(id)?.status === 'completed'),
      () => `the good ones are completed:\n${command.output}`,
      60_000,
    )
    await until(
      () => faults.every(({ hits }) => hits > 0),
      () => `every fault happened:\n${command.output}`,
    )
    const before = command.output.length
    emulator.disconnect()
    await until(
      () => command.output.slice(before).includes('ECONNREFUSED'),
      () => `it says that the service is away:\n${command.output.slice(before)}`,
    )
    await emulator.reconnect()
    command.signal('SIGTERM')
    await command.exited

    expect(command.output).toContain('failed with')
    expect(command.output).toContain('the surroundings')
    expect(command.output).not.toContain(emulator.key)
    expect(command.output).not.toContain(Buffer.from(emulator.key).toString('base64'))
  })

  it('that is refused is named by its source, not by its text', { timeout: 60_000 }, async () => {
    await using site = await Site.open({ handler, config: config.replace('FORMAT', 'json') })
    site.fault({}, { status: 401, body: JSON.stringify({ error: site.emulator.key }) })
    const command = site.start('run', '--once')

    expect(await command.exited, command.output).toBe(77)
    expect(command.output).not.toContain(site.emulator.key)
  })
})
