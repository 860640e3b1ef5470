import { setTimeout as delay } from 'node:timers/promises'
import { mulberry } from '../../src/emulator/mulberry.ts'
import type { Cluster } from '../support/postgres.ts'
import { times } from '../support/record.ts'
import { Site, type Command } from '../support/command.ts'
import { until } from '../support/until.ts'
import { MEMBERS, notingHandler, SETTLED_WITHIN } from './noting-handler.ts'
import { judge, type Cut, type Outage, type Verdict } from './judge.ts'

/** Starts that a clink has in the whole fleet. */
const ATTEMPTS = 3
const config = `
concurrency: 4
claim: { timeout: 4s }
poll: { interval: 100ms, maxInterval: 400ms }
retry: { attempts: ${ATTEMPTS}, backoff: 100ms, maxBackoff: 300ms, cooldown: 200ms, crashes: 50, onExhausted: complete }
log: { format: json }
server: { enabled: false }
`
const KINDS = ['quick', 'quick', 'slow', 'slow', 'step', 'poison']

export interface Played extends Verdict {
  readonly clinks: number
  readonly cuts: number
  readonly crashes: number
}

export interface ChaosOptions {
  readonly seconds: number
  readonly seed: number
  readonly perSecond: number
  readonly say?: (line: string) => void
}

/**
 * Three workers, each a process with a state directory of its own, and one PostgreSQL. Every second or two one of the workers is killed or stands
 * still for a while, and every few seconds the database crashes; each comes back. In the end all clinks have to be settled.
 */
export async function playFleet(cluster: Cluster, options: ChaosOptions): Promise<Played> {
  const { perSecond, say = (): void => {}, seconds, seed } = options
  const random = mulberry(seed)
  const between = (least: number, most: number): number => least + random() * (most - least)
  const url = await cluster.database()
  await using site = await Site.open({
    handler: notingHandler([400, 1_200]),
    config,
    emulator: { switches: { defaultTimeout: 4 } },
  })
  const begin = (name: string): Command =>
    site.startWith({ STATE_DIRECTORY: `${site.directory}/state-${name}`, ME: name, CLINK_STATE_URL: url }, 'run')
  const workers = new Map(MEMBERS.map((name) => [name, begin(name)]))
  const cuts: Cut[] = []
  const end = performance.now() + seconds * 1_000
  const goesOn = (): boolean => performance.now() < end

  const disturb = async (): Promise<void> => {
    for (await delay(between(2_000, 4_000)); goesOn(); await delay(between(1_000, 3_000))) {
      const name = MEMBERS[Math.floor(random() * MEMBERS.length)] ?? ''
      const worker = workers.get(name)
      const from = Date.now()
      if (random() < 0.25) {
        worker?.signal('SIGSTOP')
        await delay(between(500, 6_000))
        worker?.signal('SIGCONT')
        cuts.push({ name, what: 'stopped', from, to: Date.now() })
      } else {
        worker?.signal('SIGKILL')
        await worker?.exited
        cuts.push({ name, what: 'killed', from, to: Date.now() })
        workers.set(name, begin(name))
      }
    }
  }
  const outages: Outage[] = []
  const crash = async (): Promise<void> => {
    for (await delay(between(3_000, 6_000)); goesOn(); await delay(between(4_000, 10_000))) {
      const from = Date.now()
      await cluster.stop('SIGQUIT')
      await delay(between(100, 3_000))
      await cluster.start()
      outages.push({ from, to: Date.now() })
    }
  }
  const sent: string[] = []
  const send = async (): Promise<void> => {
    for (; goesOn(); await delay(between(0, 2_000 / perSecond))) {
      const content = `${KINDS[sent.length % KINDS.length]}-${sent.length}`
      sent.push(site.emulator.send('ops', content, { from: 'bob' }).clink_id)
    }
  }
  await Promise.all([disturb(), crash(), send()])
  say(
    `${sent.length} clinks sent, ${cuts.length} workers killed or stopped, ${outages.length} crashes of the database; now they settle`,
  )
  const lastWords = (): string => [...workers.values()].map((one) => one.output.slice(-2_000)).join('\n')
  await untilSettled(
    () => sent.filter((id) => site.emulator.clink(id)?.status !== 'completed').length,
    () => `all are settled, or fewer are left; the last words of the workers:\n${lastWords()}`,
  ).catch((error: unknown) => say(String(error)))
  for (const worker of workers.values()) worker.signal('SIGTERM')
  await Promise.all([...workers.values()].map(async ({ exited }) => await exited))
  const clinks = sent.map((id) => {
    const { content = id, status = 'unknown' } = site.emulator.clink(id) ?? {}
    return { content, status, completions: times(site.emulator, id, 'completed') }
  })
  const verdict = judge({ clinks, notes: await site.noted(), cuts, outages, attempts: ATTEMPTS })
  return { ...verdict, clinks: clinks.length, cuts: cuts.length, crashes: outages.length }
}

/** As long as there are fewer and fewer of them, it goes on. */
async function untilSettled(open: () => number, what: () => string): Promise<void> {
  for (let before = open(); before > 0; before = open()) await until(() => open() < before, what, SETTLED_WITHIN)
}
