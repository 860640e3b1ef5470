import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Switches } from '../../src/emulator/switches.ts'
import { Site } from '../support/command.ts'
import { seed } from '../support/key-owners.ts'
import { until } from '../support/until.ts'

const CONCURRENCY = 16
const EACH = 70
/** Some take longer than a claim lasts, so that each rotation meets renewals as well as starts and completions. */
const handler = `
import { appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
let count = 0
export default async (clink, ctx) => {
  appendFileSync(process.env.NOTES, clink.content + ' ' + ctx.attempt + '\\n')
  count += 1
  await delay(count % 10 === 0 ? 5000 : 50 + (count % 7) * 60, undefined, { signal: ctx.signal })
  return 'done ' + clink.content
}
`
const config = `
concurrency: ${CONCURRENCY}
claim: { timeout: 4s }
poll: { interval: 20ms, maxInterval: 100ms }
server: { enabled: false }
log: { format: json }
`
const keys = { ...seed, keys: [...seed.keys, { name: 'fourth', owner: 'worker' }] }

/** A worker under load whose key is in a file. */
async function open(identity: Switches['identity']) {
  const site = await Site.open({ handler, config, emulator: { seed: keys, switches: { identity, defaultTimeout: 4 } } })
  const { emulator } = site
  const file = join(site.directory, 'the-key')
  const put = async (name: string): Promise<void> => {
    await writeFile(`${file}.new`, `${emulator.keys[name] ?? ''}\n`, { mode: 0o600 })
    await rename(`${file}.new`, file)
  }
  await put('worker')
  const command = site.startWith({ CLINK_API_KEY: '', CLINK_API_KEY_FILE: file }, 'run')
  const says = async (text: string, times = 1): Promise<void> =>
    await until(
      () => command.output.split(text).length > times,
      () => `it says ${text}:\n${command.output}`,
      30_000,
    )
  await says('worker.ready')
  const ids: string[] = []
  const load = (): void => {
    for (let n = 0; n < EACH; n += 1) ids.push(emulator.send('ops', `work ${ids.length}`, { from: 'bob' }).clink_id)
  }
  const done = (): number => ids.filter((id) => emulator.clink(id)?.status === 'completed').length
  const moves = async (): Promise<void> => {
    const before = done()
    await until(() => done() > before + 10, 'work goes on', 30_000)
  }
  /** Clinks that it holds by claims that were made with this key. */
  const heldBy = (key: string): string[] =>
    ids.filter((id) => {
      const claimed = emulator
        .history(id)
        .filter(({ what }) => what === 'claimed')
        .at(-1)
      return claimed?.key === key && emulator.clink(id)?.status === 'claimed'
    })
  const usedBy = (key: string) => emulator.requests().filter((request) => request.key === key)
  return { command, done, emulator, heldBy, ids, load, moves, put, says, site, usedBy }
}

/** Each clink was worked once and completed, and no claim was lost. */
function expectNothingLost({ command, emulator, ids, site }: Awaited<ReturnType<typeof open>>): void {
  const notes = readFileSync(site.notes, 'utf8').trim().split('\n').toSorted()
  expect(notes).toEqual(ids.map((_, n) => `work ${n} 1`).toSorted())
  for (const id of ids) expect(emulator.history(id).filter(({ what }) => what === 'completed')).toHaveLength(1)
  for (const event of [
    'clink.lost',
    'clink.released',
    'clink.deadLettered',
    'clink.leftToExpire',
    'clink.settledElsewhere',
    'worker.failed',
  ])
    expect(command.output).not.toContain(`"${event}"`)
}

describe('§8: a key file is rotated under load: no lease is lost, and nothing is sent with a key once it is refused', () => {
  it.each([
    ['keys of one owner stand in for each other, and the old one is refused at once', 'owner'],
    ['keys are kept apart, and the old one is refused when what it has claimed is done', 'session'],
  ] as const)('where %s', { timeout: 180_000 }, async (_, identity) => {
    const world = await open(identity)
    await using site = world.site
    const { command, done, emulator, heldBy, ids, load, moves, put, says, usedBy } = world
    let before = 'worker'
    for (const [index, next] of ['next', 'third', 'fourth'].entries()) {
      load()
      await moves()
      await put(next)
      await says('"key.changed"', index + 1)
      await moves()
      if (identity === 'session') await until(() => heldBy(before).length === 0, `${before} has done its work`, 60_000)
      else expect(heldBy(before), 'what it holds when it is refused').not.toEqual([])
      emulator.suspendKey(before)
      load()
      await moves()
      before = next
    }
    const all = () => `${done()} of ${ids.length}:\n${command.output.slice(-4_000)}`
    await until(() => done() === ids.length, all, 60_000)
    for (const name of ['worker', 'next', 'third']) {
      const refused = usedBy(name).filter(({ status }) => status === 401)
      if (identity === 'session') expect(refused, name).toEqual([])
      else expect(refused, name).not.toEqual([])
      // Those that were on their way when the first refusal came.
      expect(refused.length, name).toBeLessThanOrEqual(CONCURRENCY + 1)
      const at = refused[0]?.at ?? 0
      expect(
        refused.filter((one) => one.at > at + 500),
        name,
      ).toEqual([])
    }
    expectNothingLost(world)
    command.signal('SIGTERM')
    expect(await command.exited, command.output).toBe(0)
    for (const key of Object.values(site.emulator.keys)) expect(command.output).not.toContain(key)
  })
})

it(
  '§8: a key that is refused before the new one is in the file loses no lease either, where that comes in time',
  { timeout: 120_000 },
  async () => {
    const world = await open('owner')
    await using _ = world.site
    const { command, done, emulator, heldBy, ids, load, moves, put, says, usedBy } = world
    load()
    await moves()
    expect(heldBy('worker')).not.toEqual([])
    emulator.suspendKey('worker')
    const isRefused = (): boolean => usedBy('worker').some(({ status }) => status === 401)
    await until(isRefused, 'it is refused', 30_000)
    await put('next')
    await says('"key.changed"')
    const last = usedBy('worker').length
    const all = () => `${done()} of ${ids.length}:\n${command.output.slice(-4_000)}`
    await until(() => done() === ids.length, all, 60_000)
    expect(usedBy('worker').length - last).toBeLessThanOrEqual(CONCURRENCY + 1)
    expectNothingLost(world)
    command.signal('SIGTERM')
    expect(await command.exited, command.output).toBe(0)
  },
)
