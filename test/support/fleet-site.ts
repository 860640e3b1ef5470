import { Site, type Command } from './command.ts'
import { needPostgres, type Cluster } from './postgres.ts'

const handler = `
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { defineHandler } from 'clink-worker'
const note = (text: string): void => appendFileSync(process.env['NOTES'] ?? '', text + '\\n')
export default defineHandler(async (clink, ctx) => {
  note(clink.content + ' ' + ctx.attempt + ' ' + process.env['ME'])
  if (clink.content === 'poison') throw new Error('it is poison')
  if (clink.content === 'steps') await ctx.step('pay', () => note('paid by ' + process.env['ME']))
  if (clink.content === 'hangs' || (clink.content === 'steps' && process.env['ME'] === 'a'))
    await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
  while (clink.content === 'waits' && !existsSync(process.env['NOTES'] + '.go')) await delay(20)
  return 'done ' + clink.content
})
`
const config = `
concurrency: 4
claim: { timeout: 4s }
poll: { interval: 50ms, maxInterval: 200ms }
retry: { attempts: 3, backoff: 100ms, maxBackoff: 200ms, cooldown: 100ms }
log: { format: json }
server: { enabled: false }
`
/** Of the database. */
export const PASSWORD = 'not-to-be-seen'

/** Workers with state directories of their own, and one database. */
export class FleetSite implements AsyncDisposable {
  readonly site: Site
  readonly url: string

  private constructor(site: Site, url: string) {
    this.site = site
    this.url = url
  }

  static async open(context: Parameters<typeof needPostgres>[0], cluster: Cluster): Promise<FleetSite> {
    needPostgres(context)
    const url = (await cluster.database()).replace('postgres@', `postgres:${PASSWORD}@`)
    return new FleetSite(await Site.open({ handler, config, emulator: { switches: { defaultTimeout: 4 } } }), url)
  }

  command(name: string, ...args: string[]): Command {
    const { directory } = this.site
    const own = { STATE_DIRECTORY: `${directory}/state-${name}`, ME: name, CLINK_STATE_URL: this.url }
    return this.site.startWith(own, ...args)
  }

  async said(name: string, ...args: string[]): Promise<string> {
    const command = this.command(name, ...args)
    const exit = await command.exited
    return `${exit} ${command.output}`
  }

  send(content: string): string {
    return this.site.emulator.send('ops', content, { from: 'bob' }).clink_id
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]()
  }
}
