import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Site } from '../support/command.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { times } from '../support/record.ts'
import { until } from '../support/until.ts'

const NOTE = `
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
const note = (text: string): void => appendFileSync(process.env['NOTES'] ?? '', text + '\\n')
`

const two = `${NOTE}
export default async (clink, ctx) => {
  const one = await ctx.step('one', () => { note('one'); return { by: process.pid } })
  note('between')
  if (ctx.attempt === 1) await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
  await ctx.step('two', () => { note('two') })
  return String(one.by)
}
`

const sleeper = `${NOTE}
export default async (clink, ctx) => {
  if (clink.content === 'other') return 'done'
  await ctx.step('one', () => { note('one') })
  await ctx.sleep('a while', '6s')
  note('awake ' + ctx.attempt)
}
`

/** Five steps, of which the third fails twice for every fourth clink. */
const five = `${NOTE}
export default async (clink, ctx) => {
  const by = (name: string) => ctx.step(name, async () => { note(clink.content + ' ' + name); await delay(2); return name })
  await by('one')
  await by('two')
  await ctx.step('three', () => {
    if (Number(clink.content.split(' ')[1]) % 4 === 0 && ctx.attempt < 3) throw new Error('not yet')
    note(clink.content + ' three')
  })
  await by('four')
  return await by('five')
}
`

const CONFIG =
  'concurrency: 1\npoll: { interval: 50ms, maxInterval: 200ms }\nretry: { backoff: 100ms, maxBackoff: 200ms }\n'

describe('P5, §4: over a kill -9', () => {
  it('between step one and step two: the next process does not do step one again', { timeout: 60_000 }, async () => {
    await using site = await Site.open({ handler: two, config: CONFIG })
    const [id = ''] = site.sendMany(1)
    const first = site.start('run')
    await until(
      async () => (await site.noted()).includes('between'),
      () => `step one is done:\n${first.output}`,
    )
    first.signal('SIGKILL')
    await first.exited
    const second = site.start('run', '--once')
    expect(await second.exited, second.output).toBe(0)
    expect(await site.noted()).toEqual(['one', 'between', 'between', 'two'])
    expect(site.emulator.clinks().map(({ content }) => content)).toContain(String(first.pid))
    expect(times(site.emulator, id, 'completed')).toBe(1)
  })

  it('again and again, under load: no step is done twice', { timeout: 180_000 }, async () => {
    const config = CONFIG.replace('concurrency: 1', 'concurrency: 5')
    // What a poll had claimed when its process was killed nobody knows of: it comes back when that claim has run out.
    const emulator = { switches: { defaultTimeout: 10 } }
    await using site = await Site.open({ handler: five, config, emulator })
    const ids = site.sendMany(60)
    for (const wanted of [40, 100, 160]) {
      const one = site.start('run')
      await until(
        async () => (await site.noted()).length > wanted,
        () => `it works:\n${one.output}`,
      )
      one.signal('SIGKILL')
      await one.exited
    }
    const last = site.start('run')
    const completed = (): readonly number[] => ids.map((id) => times(site.emulator, id, 'completed'))
    await until(
      () => completed().every((count) => count > 0),
      () => `all are done:\n${last.output}`,
      90_000,
    )
    last.signal('SIGTERM')
    expect(await last.exited, last.output).toBe(0)
    expect(completed()).toEqual(ids.map(() => 1))
    const all = ids.flatMap((_, n) => ['one', 'two', 'three', 'four', 'five'].map((step) => `task ${n} ${step}`))
    expect([...new Set(await site.noted())].sort()).toEqual(all.sort())
    // What a process was killed in the middle of it cannot have written: one for each of its slots.
    expect((await site.noted()).length - all.length).toBeLessThanOrEqual(3 * 5)
  })
})

const filling = `${NOTE}
export default async (clink, ctx) => {
  note('begun')
  while (!existsSync('go')) await delay(20, undefined, { signal: ctx.signal })
  for (let n = 1; n <= 4; n += 1) {
    await ctx.step('part ' + n, () => { note('part ' + n); return 'x'.repeat(20_000) })
  }
  return 'done'
}
`

it(
  'P5, §4: on a full disk a step waits, is not done again, and goes on when there is space',
  { timeout: 60_000 },
  async (context) => {
    using disk = new SmallDisk(context)
    await using site = await Site.open({ handler: filling, config: `${CONFIG}state: { directory: ${disk.state} }\n` })
    const [id = ''] = site.sendMany(1)
    const worker = site.start('run')
    await until(
      async () => (await site.noted()).includes('begun'),
      () => `it runs:\n${worker.output}`,
    )
    disk.fill()
    await site.write('go')
    await until(
      () => worker.output.includes('journal.failed'),
      () => `the log says why:\n${worker.output}`,
    )
    const noted = await site.noted()
    await delay(2_000)
    expect(await site.noted()).toEqual(noted)
    expect(worker.output).toContain('the disk is full: free some space')
    disk.free()
    await until(
      () => site.emulator.clink(id)?.status === 'completed',
      () => `it goes on:\n${worker.output}`,
    )
    expect(await site.noted()).toEqual(['begun', 'part 1', 'part 2', 'part 3', 'part 4'])
  },
)

describe.concurrent('§4: a sleep', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'goes on over a restart (%s), and holds no slot',
    { timeout: 60_000 },
    async (signal) => {
      await using site = await Site.open({ handler: sleeper, config: `${CONFIG}claim: { exclusive: true }\n` })
      const [id = ''] = site.sendMany(1)
      const first = site.start('run')
      await until(
        () => first.output.includes('it sleeps: a while'),
        () => `it sleeps:\n${first.output}`,
      )
      const start = Date.now()
      const { clink_id: other } = site.emulator.send('ops', 'other', { from: 'bob' })
      await until(
        () => site.emulator.clink(other)?.status === 'completed',
        () => `the slot is free:\n${first.output}`,
      )
      first.signal(signal)
      await first.exited
      // Not until the inbox is empty: what sleeps and was given back by a stop is nothing that would run then.
      const second = site.start('run')
      await until(
        () => site.emulator.clink(id)?.status === 'completed',
        () => `it is done:\n${second.output}`,
      )
      second.signal('SIGTERM')
      expect(await second.exited, second.output).toBe(0)
      expect(await site.noted()).toEqual(['one', 'awake 1'])
      expect(Date.now() - start).toBeGreaterThan(5_500)
    },
  )
})
