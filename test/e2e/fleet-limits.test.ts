import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Site, type Command } from '../support/command.ts'
import { clusterOfFile, needPostgres } from '../support/postgres.ts'
import { times } from '../support/record.ts'
import { until } from '../support/until.ts'

const cluster = clusterOfFile()

/** Each run says when it begins and ends, by the clock that all processes of a machine share. */
const handler = `
import { appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
const note = (...words) => appendFileSync(process.env['NOTES'], [Number(process.hrtime.bigint()) / 1e6, ...words].join(' ') + '\\n')
export default async (clink, ctx) => {
  note('begins', clink.content, clink.sender_id, process.env['ME'])
  await delay(clink.content.startsWith('long') ? 1_500 : 40)
  note('ends', clink.content, clink.sender_id, process.env['ME'], ctx.signal.aborted ? 'aborted' : '')
}`
const config = `
concurrency: 4
claim: { timeout: 4s }
poll: { interval: 50ms, maxInterval: 200ms }
handlers: { grace: 300ms }
log: { format: json }
server: { enabled: false }
routes:
  - { name: keys, match: { content: { regex: '^(key|long)' } }, use: ./handlers/work.ts, serial: { by: sender, scope: fleet } }
  - { name: rated, use: ./handlers/work.ts, rate: { limit: 5/1s, scope: fleet } }
`

interface Run {
  readonly content: string
  readonly key: string
  readonly by: string
  readonly from: number
  to: number
}

const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** Three members, whose processes may be killed. */
class Fleet implements AsyncDisposable {
  readonly site: Site
  readonly url: string
  readonly members = new Map<string, Command>()
  /** When processes were killed, by their names. */
  readonly killed = new Map<string, number>()

  private constructor(site: Site, url: string) {
    this.site = site
    this.url = url
  }

  static async open(context: Parameters<typeof needPostgres>[0]): Promise<Fleet> {
    needPostgres(context)
    const site = await Site.open({ handler, config, emulator: { switches: { defaultTimeout: 4 } } })
    const fleet = new Fleet(site, await cluster.database())
    for (const name of ['a', 'b', 'c']) fleet.start(name)
    for (const [name, command] of fleet.members)
      await until(
        () => command.output.includes('"event":"worker.ready"'),
        () => `${name} is ready:\n${command.output}`,
        60_000,
      )
    return fleet
  }

  start(name: string): void {
    const own = { STATE_DIRECTORY: `${this.site.directory}/state-${name}`, ME: name, CLINK_STATE_URL: this.url }
    this.members.set(name, this.site.startWith(own, 'run'))
  }

  async kill(name: string): Promise<void> {
    const command = this.members.get(name)
    command?.signal('SIGKILL')
    await command?.exited
    this.killed.set(name, now())
  }

  get output(): string {
    return [...this.members.values()].map(({ output }) => output.slice(-4_000)).join('\n\n')
  }

  send(content: string, from = 'bob'): string {
    return this.site.emulator.send('ops', content, { from }).clink_id
  }

  /** What was run, as far as it is told by now. What was killed ran until then. */
  async runs(): Promise<readonly Run[]> {
    const runs: Run[] = []
    for (const line of await this.site.noted()) {
      const [at = '', what = '', kind = '', number = '', key = '', by = ''] = line.split(' ')
      const content = `${kind} ${number}`
      const open = runs.findLast((run) => run.content === content && run.by === by && run.to === Infinity)
      if (what === 'begins') runs.push({ content, key, by, from: Number(at), to: Infinity })
      else if (open !== undefined) open.to = Number(at)
    }
    for (const run of runs) if (run.to === Infinity) run.to = this.killed.get(run.by) ?? Infinity
    return runs
  }

  async done(ids: readonly string[], within: number): Promise<void> {
    const isDone = (): boolean => ids.every((id) => this.site.emulator.clink(id)?.status === 'completed')
    const left = (): string =>
      ids
        .map((id) => this.site.emulator.clink(id))
        .flatMap((clink) => (clink?.status === 'completed' ? [] : [`${clink?.content} is ${clink?.status}`]))
        .join(', ')
    await until(isDone, () => `all is done, but ${left()}:\n${this.output}`, within)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.site[Symbol.asyncDispose]()
  }
}

/** Two of one key that run at once. */
function overlap(runs: readonly Run[]): readonly Run[] | undefined {
  const keyed = runs.filter(({ content }) => /^(key|long)/.test(content))
  for (const one of keyed) {
    const other = keyed.find((run) => run !== one && run.key === one.key && run.from < one.to && run.to > one.from)
    if (other !== undefined) return [one, other]
  }
  return undefined
}

/** The most starts of the route with a rate in any second. */
function mostInWindow(runs: readonly Run[]): number {
  const starts = runs.flatMap(({ content, from }) => (content.startsWith('rated') ? [from] : []))
  return Math.max(...starts.map((at) => starts.filter((other) => other >= at && other < at + 1_000).length))
}

describe('limits of a fleet of real processes', { timeout: 300_000 }, () => {
  it('hold exactly while one of three is killed and the database crashes: no two of a key at once, no window with more than the rate', async (context) => {
    await using fleet = await Fleet.open(context)
    const keyed = Array.from({ length: 54 }, (_, n) => fleet.send(`key ${n}`, ['alice', 'bob', 'robot'][n % 3]))
    const rated = Array.from({ length: 50 }, (_, n) => fleet.send(`rated ${n}`))
    const underWay = async (): Promise<Run | undefined> =>
      (await fleet.runs()).find(({ content, to }) => content.startsWith('key') && to === Infinity)
    await until(
      async () => (await fleet.runs()).length > 30,
      () => `it works:\n${fleet.output}`,
      60_000,
    )
    await until(
      async () => (await underWay()) !== undefined,
      () => `a key is in use:\n${fleet.output}`,
    )
    const victim = (await underWay())?.by ?? 'a'
    await fleet.kill(victim)
    await delay(500)
    await cluster.stop()
    await cluster.start()
    await fleet.done([...keyed, ...rated], 150_000)
    const runs = await fleet.runs()
    expect(overlap(runs)).toBeUndefined()
    expect(mostInWindow(runs)).toBe(5)
    expect(new Set(runs.map(({ by }) => by)).size).toBeGreaterThan(1)
    for (const id of [...keyed, ...rated]) expect(times(fleet.site.emulator, id, 'completed')).toBe(1)
  })

  it('a member that is stopped past the end of its right, and goes on, sends nothing of what it has run meanwhile', async (context) => {
    await using fleet = await Fleet.open(context)
    const ids = [0, 1, 2, 3].map((n) => fleet.send(`long ${n}`))
    let first: Run | undefined
    await until(
      async () => ([first] = await fleet.runs()).length > 0,
      () => `one runs:\n${fleet.output}`,
      60_000,
    )
    const stopped = fleet.members.get(first?.by ?? '')
    stopped?.signal('SIGSTOP')
    await until(
      async () => (await fleet.runs()).length > 1,
      () => `another goes on:\n${fleet.output}`,
      60_000,
    )
    const { from = 0 } = (await fleet.runs())[1] ?? {}
    // Its key was taken for four seconds from its last renewal on, and was not given away before.
    expect(from - (first?.from ?? 0)).toBeGreaterThan(3_000)
    stopped?.signal('SIGCONT')
    await until(
      () => stopped?.output.includes('"event":"clink.lost"') === true,
      () => `it knows:\n${stopped?.output}`,
    )
    await fleet.done(ids, 100_000)
    const others = (await fleet.runs()).filter((run) => run.by !== first?.by || run.from !== first.from)
    expect(overlap(others)).toBeUndefined()
    for (const id of ids) expect(times(fleet.site.emulator, id, 'completed')).toBe(1)
    // What it ran is run once more.
    expect(new Set(others.map(({ content }) => content)).size).toBe(4)
  })
})
