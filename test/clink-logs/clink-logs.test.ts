import { mkdirSync, readdirSync, readFileSync, statSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { ClinkLogs } from '../../src/clink-logs/clink-logs.ts'
import { ClinkLogReader } from '../../src/clink-logs/read.ts'
import { dropOld, segmentsIn } from '../../src/clink-logs/segments.ts'
import type { Clink } from '../../src/clink/records.ts'
import type { WorkerEvent } from '../../src/events.ts'
import { redactor } from '../../src/observe/redact.ts'
import { makeSettings } from '../support/settings.ts'
import { TempDir } from '../support/temp-dir.ts'

const KEEP = { perClink: 262_144, for: 86_400_000, total: 1_073_741_824 }

function opened({ keep = KEEP, secrets = [] }: { keep?: typeof KEEP | null; secrets?: readonly string[] } = {}) {
  const dir = new TempDir()
  onTestFinished(() => dir[Symbol.dispose]())
  const directory = join(dir.path, 'logs')
  const events: WorkerEvent[] = []
  const settings = makeSettings({ log: { keep } })
  const logs = new ClinkLogs({ directory, settings, redact: redactor(secrets), emit: (event) => events.push(event) })
  const say = (id: string, message: string, fields?: Record<string, unknown>, attempt = 1): void => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all that is looked at
    const clink = { clink_id: id } as Clink
    logs.note({ event: 'clink.log', clink, route: 'h', attempt, level: 'info', message, ...(fields && { fields }) })
  }
  const read = async (id: string): Promise<readonly string[]> =>
    (await new ClinkLogReader(directory, id).next()).map(({ attempt, message }) => `${attempt} ${message}`)
  return { directory, events, logs, read, say }
}

it('what is said for a clink is read again, in order, attempt by attempt, and nothing of others', async () => {
  const { directory, logs, read, say } = opened()
  for (let n = 0; n < 50; n += 1) for (const id of ['a', 'b', 'odd id/…']) say(id, `${id} ${n}`, { n })
  await logs.close()
  say('a', 'once more', undefined, 2)
  await logs.close()
  expect(await read('a')).toEqual([...Array.from({ length: 50 }, (_, n) => `1 a ${n}`), '2 once more'])
  expect(await read('odd id/…')).toHaveLength(50)
  expect(await read('od')).toEqual([])
  for (const file of readdirSync(directory)) expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600)
})

it('a reader goes on with what comes', async () => {
  const { directory, logs, say } = opened()
  const reader = new ClinkLogReader(directory, 'a')
  expect(await reader.next()).toEqual([])
  for (const message of ['one', 'two']) {
    say('a', message)
    await logs.close()
    expect((await reader.next()).map((line) => line.message)).toEqual([message])
  }
  expect(await reader.next()).toEqual([])
})

it('a clink that says too much is cut, says so, and cuts no other', async () => {
  const { logs, read, say } = opened({ keep: { ...KEEP, perClink: 1_024 } })
  for (let n = 0; n < 100; n += 1) say('loud', 'x'.repeat(100))
  say('quiet', 'still here')
  await logs.close()
  const lines = await read('loud')
  expect(lines.length).toBeLessThan(12)
  expect(lines.at(-1)).toContain('log.keep.perClink')
  expect(await read('quiet')).toEqual(['1 still here'])
})

it('where nothing is said, or nothing is to be kept, nothing is written', async () => {
  const silent = opened()
  await silent.logs.close()
  const off = opened({ keep: null })
  off.say('a', 'unheard')
  await off.logs.close()
  for (const { directory } of [silent, off]) expect(() => readdirSync(directory)).toThrow('ENOENT')
})

it('no line shows a secret (P13), and what is no JSON keeps no other line from being written', async () => {
  const { directory, logs, read, say } = opened({ secrets: ['hunter2-hunter2'] })
  const circle: Record<string, unknown> = { big: 1n }
  circle['self'] = circle
  say('a', 'the password is hunter2-hunter2', { also: 'hunter2-hunter2' })
  say('a', 'odd', circle)
  say('a', 'last')
  await logs.close()
  const text = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'))
  expect(text.join('')).not.toContain('hunter2')
  expect(await read('a')).toEqual(['1 the password is [secret]', '1 odd', '1 last'])
})

it('a disk that takes nothing loses lines, which is said once and counted, and nobody waits', async () => {
  const { directory, events, logs, read, say } = opened()
  writeFileSync(directory, 'in its place')
  say('a', 'lost')
  say('a', 'lost too')
  await logs.close()
  say('a', 'and this')
  await logs.close()
  expect(events).toMatchObject([{ event: 'logs.failed' }])
  unlinkSync(directory)
  say('a', 'kept')
  await logs.close()
  expect(events).toMatchObject([{ event: 'logs.failed' }, { event: 'logs.recovered', lost: 3 }])
  expect(await read('a')).toEqual(['1 kept'])
})

it('more than may wait is lost and counted', async () => {
  const { events, logs, read, say } = opened({ keep: { ...KEEP, perClink: 1_073_741_824 } })
  for (let n = 0; n < 200; n += 1) say('a', 'x'.repeat(10_000))
  await logs.close()
  expect(events).toMatchObject([{ event: 'logs.recovered', lost: 200 - (await read('a')).length }])
})

it('what is old goes, and the oldest of what is too much; the newest stays', async () => {
  const { directory } = opened()
  mkdirSync(directory)
  const names = ['2026-11-01T00', '2026-11-27T04', '2026-11-27T05', '2026-11-27T06']
  for (const name of names) {
    writeFileSync(join(directory, `${name}.lines`), 'x'.repeat(1_000))
    writeFileSync(join(directory, `${name}.index`), '')
    utimesSync(join(directory, `${name}.lines`), 0, 0)
  }
  const left = async (): Promise<string[]> => (await segmentsIn(directory)).map(({ name }) => name)
  const now = Date.UTC(2026, 10, 27, 6, 30)
  await dropOld(directory, { longest: 86_400_000, total: 10_000 }, now)
  expect(await left()).toEqual(names.slice(1))
  await dropOld(directory, { longest: 86_400_000, total: 1_500 }, now)
  expect(await left()).toEqual(names.slice(3))
  await dropOld(directory, { longest: 1, total: 1 }, now + 86_400_000)
  expect(await left()).toEqual(names.slice(3))
})
