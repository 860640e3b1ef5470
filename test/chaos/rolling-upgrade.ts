import { setTimeout as delay } from 'node:timers/promises'
import { Site, type Command } from '../support/command.ts'
import { built } from '../support/program.ts'
import type { Cluster } from '../support/postgres.ts'
import { stillClaimed, times } from '../support/record.ts'
import { until } from '../support/until.ts'
import { MEMBERS, notingHandler, SETTLED_WITHIN } from './noting-handler.ts'
import { judgeUpgrade } from './upgrade-judge.ts'

const ATTEMPTS = 3
/** Milliseconds after which whoever has released a clink looks at it again. */
const COOLDOWN = 500
/** A route on which everything fails is a poisoned backlog here, and no outage: as few failures as possible cost no attempt. */
const config = `
concurrency: 16
claim: { timeout: 10s }
poll: { interval: 100ms, maxInterval: 400ms }
retry: { attempts: ${ATTEMPTS}, backoff: 100ms, maxBackoff: 300ms, cooldown: ${COOLDOWN}ms, outage: 1ms }
shutdown: { timeout: 6s, drain: 200ms }
log: { format: json }
server: { enabled: false }
`
const KINDS = ['quick', 'slow', 'step', 'quick', 'slow']
/** One of so many clinks is poison. */
const POISON = 25

export interface UpgradeOptions {
  readonly seconds: number
  readonly perSecond: number
  /** The command of the version before, as a path. */
  readonly before: string
  readonly say: (line: string) => void
}

/**
 * Three workers of the version before, each alone with its state directory, are stopped under load one after the other, and go on as members of a fleet. They
 * stop with the last clink settled.
 */
export async function playUpgrade(cluster: Cluster, { before, perSecond, say, seconds }: UpgradeOptions) {
  const url = await cluster.database()
  await using site = await Site.open({
    handler: notingHandler([200, 1_200]),
    config,
    emulator: { switches: { defaultTimeout: 10 } },
  })
  const began = performance.now()
  const passed = (): number => performance.now() - began
  const begin = (name: string, isOld: boolean): Command => {
    const own = { STATE_DIRECTORY: `${site.directory}/state-${name}`, ME: isOld ? `${name}-old` : name }
    return site.startOf(isOld ? before : built, { ...own, ...(!isOld && { CLINK_STATE_URL: url }) }, 'run')
  }
  const ready = async (name: string, worker: Command): Promise<void> =>
    await until(
      () => worker.output.includes('"worker.ready"'),
      () => `${name} is ready:\n${worker.output}`,
    )
  const workers = new Map(MEMBERS.map((name) => [name, begin(name, true)]))
  const all = [...workers].map(([name, worker]) => ({ me: `${name}-old`, worker }))
  const joined = new Map<string, number>()
  const ends: (number | null)[] = []
  const sent: string[] = []
  const send = async (): Promise<void> => {
    for (; passed() < seconds * 1_000; await delay(10))
      while (sent.length < (passed() / 1_000) * perSecond) {
        const kind = sent.length % POISON === 7 ? 'poison' : KINDS[sent.length % KINDS.length]
        sent.push(site.emulator.send('ops', `${kind}-${sent.length}`, { from: 'bob' }).clink_id)
      }
  }
  const upgrade = async (): Promise<void> => {
    for (const [name, worker] of workers) {
      await delay((seconds * 1_000) / 6)
      const from = performance.now()
      worker.signal('SIGTERM')
      ends.push(await worker.exited)
      const stopped = performance.now()
      const next = begin(name, false)
      workers.set(name, next)
      all.push({ me: name, worker: next })
      await ready(name, next)
      joined.set(name, Date.now())
      const [down, up] = [stopped - from, performance.now() - stopped].map(Math.round)
      say(`${name} of before has stopped in ${down} ms, and is a member of the fleet ${up} ms later, of ${sent.length}`)
    }
  }
  await Promise.all([send(), upgrade()])
  const known = new Map(sent.map((id) => [id, site.emulator.clink(id)?.content ?? id]))
  const isSettled = (): boolean =>
    sent.every((id) => known.get(id)?.startsWith('poison') === true || site.emulator.clink(id)?.status === 'completed')
  const wanted = sent.filter((id) => known.get(id)?.startsWith('poison') === true).length
  const letters = new Map<string, ReadonlySet<string>>()
  const end = performance.now() + SETTLED_WITHIN
  for (; performance.now() < end; await delay(1_000)) {
    if (!isSettled()) continue
    for (const name of MEMBERS) letters.set(name, await lettersOf(name))
    if ([...letters.values()].every(({ size }) => size === wanted)) break
  }
  say(`${sent.length} clinks sent; settled ${Math.round(passed() - seconds * 1_000)} ms after the last one`)
  const last = [...workers.values()]
  for (const worker of last) worker.signal('SIGTERM')
  for (const worker of last) ends.push(await worker.exited)
  const clinks = sent.map((id) => {
    const { status = 'unknown' } = site.emulator.clink(id) ?? {}
    return { content: known.get(id) ?? id, status, completions: times(site.emulator, id, 'completed') }
  })
  const pauses = all.flatMap(({ me, worker }) =>
    [...worker.output.matchAll(/"time":"([^"]+)","event":"route\.paused"/g)].map(([, time = '']) => {
      return { name: me, at: Date.parse(time) }
    }),
  )
  const evidence = { clinks, notes: await site.noted(), joined, letters, pauses, attempts: ATTEMPTS }
  const verdict = judgeUpgrade(evidence)
  const excused = judgeUpgrade({ ...evidence, pauses: [] }).faults.length - verdict.faults.length
  const faults = [
    ...verdict.faults,
    ...ends.filter((code) => code !== 0).map((code) => `a worker has ended with ${code}`),
    ...stillClaimed(site.emulator).map((id) => `${known.get(id) ?? id} is left claimed`),
  ]
  const faulty = new Set(faults.map((fault) => fault.split(' ')[0] ?? ''))
  if (faulty.size > 0) say(`routes were paused: ${JSON.stringify(pauses)}`)
  for (const note of await site.noted()) if (faulty.has(note.split(' ')[2] ?? '')) say(note)
  const rows = await cluster.sql(
    `SELECT (SELECT count(*) FROM clink_worker.parts), (SELECT count(*) FROM clink_worker.steps), (SELECT count(*) FROM clink_worker.notes WHERE row IS NOT NULL)`,
    url,
  )
  return { ...verdict, excused, faults, clinks: clinks.length, letters: wanted, rows }

  async function lettersOf(name: string): Promise<ReadonlySet<string>> {
    const own = { STATE_DIRECTORY: `${site.directory}/state-${name}`, CLINK_STATE_URL: url }
    const list = site.startOf(built, own, 'failed', 'list', '--json')
    await list.exited
    const found = JSON.parse(list.output) as readonly { readonly clink_id: string }[]
    return new Set(found.map(({ clink_id: id }) => known.get(id) ?? id))
  }
}
