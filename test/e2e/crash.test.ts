import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemBoot } from '../../src/base/boot.ts'
import { journalFacts } from '../../src/journal/copies.ts'
import { openState } from '../../src/journal/state.ts'
import { kernelGroups, LeftProgram } from '../support/left-program.ts'
import { answers, stillClaimed, times } from '../support/record.ts'
import { until } from '../support/until.ts'
import { Site } from '../support/command.ts'

const NOTE = `
import { appendFileSync } from 'node:fs'
import { defineHandler } from 'clink-worker'
const note = (text: string): void => appendFileSync(process.env['NOTES'] ?? '', text + '\\n')
`

const slow = `${NOTE}
export default defineHandler(async (clink, ctx) => {
  note(clink.content + ' ' + ctx.attempt)
  if (ctx.attempt === 1 && clink.content !== 'quick')
    await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
  return 'done'
})
`

const waits = `
import { defineHandler } from 'clink-worker'
export default defineHandler(async (clink, ctx) => {
  if (clink.content === 'task 0') throw new Error('not yet')
  await ctx.sleep('for long', '20m')
})
`

const elsewhere = `
import { defineHandler } from 'clink-worker'
export default defineHandler({ match: { content: /other/ }, handle: () => 'done' })
`

/** On a second start it says whether the process group in its clink still runs. */
const afterwards = `${NOTE}
import { readdirSync, readFileSync } from 'node:fs'
export default defineHandler(async (clink, ctx) => {
  if (ctx.attempt > 1) {
    const group = readFileSync(process.env['NOTES'] + '.group', 'utf8')
    const stats = readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).flatMap((pid) => {
      try { return [readFileSync('/proc/' + pid + '/stat', 'utf8').split(') ')[1].split(' ')] } catch { return [] }
    })
    note(stats.some(([state, , id]) => id === group && state !== 'Z') ? 'beside it' : 'after it')
    return 'done'
  }
  note('started')
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
})
`

const poison = `${NOTE}
import { setTimeout as delay } from 'node:timers/promises'
export default defineHandler(async (clink, ctx) => {
  note(clink.content)
  await delay(300)
  if (clink.content === 'poison') FAULT
  return 'done'
})
`

/** Starts the worker again and again, as the system would, until it has worked the inbox empty. */
async function untilQuiet(site: Site): Promise<{ exits: readonly (number | null)[]; output: string }> {
  const exits: (number | null)[] = []
  let output = ''
  while (exits.length < 12 && !exits.some((exit) => exit === 0 || exit === 1)) {
    const command = site.start('run', '--once')
    exits.push(await command.exited)
    output += command.output
  }
  return { exits, output }
}

describe('P9, §7: after a kill -9', () => {
  it('the next start has what was parked as well, and its stop gives it back', { timeout: 60_000 }, async () => {
    const config = 'inbox: { claim: batch }\n'
    await using site = await Site.open({ handler: elsewhere, config })
    const ids = site.sendMany(12)
    const first = site.start('run')
    const journal = join(site.directory, 'state/journal.db')
    await until(
      () => first.output.includes('clink.parked') && journalFacts(journal).rows['parked'] === 12,
      () => `all are parked, and that is written:\n${first.output}`,
    )
    first.signal('SIGKILL')
    await first.exited
    const second = site.start('run')
    await until(
      () => second.output.includes('worker.ready'),
      () => `the next one polls:\n${second.output}`,
    )
    second.signal('SIGTERM')

    expect(await second.exited, second.output).toBe(0)
    expect(second.output).toMatch(/"event":"worker.resumed".*"claims":12,"gone":0/)
    expect(ids.map((id) => site.emulator.clink(id)?.status)).toEqual(ids.map(() => 'pending'))
  })

  it('the next start shows what waits as it was: after a failure, or asleep', { timeout: 60_000 }, async () => {
    const config = 'retry: { backoff: 10m, maxBackoff: 10m }\n'
    await using site = await Site.open({ handler: waits, config })
    const ids = site.sendMany(2)
    const waiting = async (): Promise<unknown> => {
      const command = site.start('status', '--json')
      if ((await command.exited) !== 0) return undefined
      const { deliveries } = JSON.parse(command.output)
      // In no order.
      return ids.map((id) => deliveries.find((one: Record<string, unknown>) => one['id'] === id))
    }
    const first = site.start('run')
    await until(
      () => first.output.split('"event":"clink.held"').length === 3,
      () => `both wait:\n${first.output}`,
    )
    const before = await waiting()
    expect(before).toMatchObject([
      { attempt: 1, id: ids[0], state: 'held' },
      { id: ids[1], state: 'asleep' },
    ])
    first.signal('SIGKILL')
    await first.exited
    const second = site.start('run')
    await until(
      () => second.output.includes('worker.ready'),
      () => `the next one is there:\n${second.output}`,
    )

    expect(await waiting()).toMatchObject([
      { attempt: 1, id: ids[0], state: 'held' },
      { id: ids[1], state: 'asleep' },
    ])
    second.signal('SIGTERM')
    expect(await second.exited, second.output).toBe(0)
  })

  it(
    'P5, §7: the next start holds on to the claims within 5 s, runs their clinks as attempt 2, and sends the result that there was',
    { timeout: 60_000 },
    async () => {
      await using site = await Site.open({ handler: slow, config: 'concurrency: 11\n' })
      const ids = site.sendMany(10)
      const { clink_id: done } = site.emulator.send('ops', 'quick', { from: 'bob' })
      const away = site.fault({ operation: 'complete_clink' }, { status: 503 })
      const first = site.start('run')
      await until(
        async () => (await site.noted()).length === 11 && away.hits > 0,
        () => `ten run and one is to be completed:\n${first.output}`,
      )
      first.signal('SIGKILL')
      await first.exited
      away.remove()
      const second = site.start('run')
      await until(
        () => second.output.includes('worker.started'),
        () => `the next one is loaded:\n${second.output}`,
      )
      const start = performance.now()
      await until(
        async () => (await site.noted()).length === 21,
        () => `all ten run again:\n${second.output}`,
      )
      // On top of that, what Node takes to load.
      expect(performance.now() - start).toBeLessThan(5_000)
      await until(
        () => [...ids, done].every((id) => site.emulator.clink(id)?.status === 'completed'),
        () => `the next one completes them:\n${second.output}`,
      )
      second.signal('SIGTERM')

      expect(await second.exited, second.output).toBe(0)
      const starts = ids.flatMap((_, n) => [`task ${n} 1`, `task ${n} 2`])
      expect((await site.noted()).sort()).toEqual(['quick 1', ...starts].sort())
      for (const id of [...ids, done]) expect(times(site.emulator, id, 'claimed')).toBe(1)
    },
  )

  it.for(['409', '200'] as const)(
    'P5, §5: a result that Clink took while the process died is done: not settled elsewhere, not late, not computed again (completeTwice: %s)',
    { timeout: 60_000 },
    async (completeTwice) => {
      const emulator = { switches: { completeTwice } }
      await using site = await Site.open({ handler: slow, config: 'concurrency: 1\n', emulator })
      const away = site.fault({ operation: 'complete_clink', nth: 1 }, { hang: 'after' })
      const { clink_id: id } = site.emulator.send('ops', 'quick', { from: 'bob' })
      const first = site.start('run')
      await until(
        () => away.hits === 1 && site.emulator.clink(id)?.status === 'completed',
        () => `it is completed, and nobody is told:\n${first.output}`,
      )
      first.signal('SIGKILL')
      await first.exited
      const second = site.start('run', '--once')

      expect(await second.exited, second.output).toBe(0)
      expect(second.output).toContain(`"event":"clink.completed","clink":"${id}"`)
      expect(second.output).not.toMatch(/settledElsewhere|clink\.lost|lateResult/)
      const late = site.start('failed', 'list', '--late')
      expect([await late.exited, late.output]).toEqual([0, expect.not.stringContaining(id)])
      expect(await site.noted()).toEqual(['quick 1'])
      expect(times(site.emulator, id, 'completed')).toBe(1)
    },
  )

  it(
    'P3, §4: a program that it had started and that lives on is ended before its clink runs again',
    { timeout: 60_000 },
    async (context) => {
      context.skip(!existsSync('/proc/self/stat'), 'no /proc here: process groups are not told apart')
      await using site = await Site.open({ handler: afterwards, config: 'concurrency: 1\n' })
      const [id = ''] = site.sendMany(1)
      const first = site.start('run')
      await until(
        async () => (await site.noted()).length === 1,
        () => `the handler runs:\n${first.output}`,
      )
      first.signal('SIGKILL')
      await first.exited
      // By hand, as the runner of programs does it: the group is noted, and the program ignores a polite end.
      await using program = await LeftProgram.start('trap "" TERM HUP; echo up; while :; do sleep 1; done', 'run-1')
      await writeFile(`${site.notes}.group`, String(program.group.id))
      const state = openState({
        directory: join(site.directory, 'state'),
        sync: 'normal',
        onHealth: () => {},
        visit: true,
      })
      await state.ledger.process.programs.note({ clinkId: id, boot: systemBoot().id, group: program.group })
      state.close()
      const second = site.start('run')
      await until(
        () => site.emulator.clink(id)?.status === 'completed',
        () => `the next one completes it:\n${second.output}`,
      )
      second.signal('SIGTERM')

      expect(await second.exited, second.output).toBe(0)
      expect(await site.noted()).toEqual(['started', 'after it'])
      expect(second.output).toMatch(new RegExp(`"event":"program.left","clink":"${id}","group":${program.group.id}`))
      expect(await kernelGroups.isAlive(program.group)).toBe(false)
      expect(times(site.emulator, id, 'claimed')).toBe(1)
    },
  )

  it.for([
    ['kills the process', `process.kill(process.pid, 'SIGKILL')`, 1],
    ['ends the process', 'process.exit(0)', 1],
    // It heeds its abort, so that it seems to survive. The process that it ends is the one that gives it up.
    ['leaks a rejection', `{ void Promise.reject(new Error('stray')); await delay(60_000, undefined, ctx) }`, 0],
  ] as const)(
    '§4: a clink whose handler %s is found and given up, and the nine beside it lose nothing',
    { timeout: 120_000 },
    async ([, fault, last]) => {
      const config = 'concurrency: 10\nretry: { attempts: 2 }\nshutdown: { timeout: 5s, drain: 3s }\n'
      await using site = await Site.open({ handler: poison.replace('FAULT', fault), config })
      const innocent = site.sendMany(9)
      const id = site.emulator.send('ops', 'poison', { from: 'bob' }).clink_id
      const { exits, output } = await untilQuiet(site)

      expect(exits.at(-1), output).toBe(last)
      const ran = await site.noted()
      // Two crashes in company, then three alone.
      expect(ran.filter((line) => line === 'poison')).toHaveLength(5)
      expect(output.split('"event":"clink.deadLettered"')).toHaveLength(2)
      expect(output).toMatch(new RegExp(`"event":"clink.deadLettered","clink":"${id}"`))
      for (const one of innocent) expect(times(site.emulator, one, 'completed')).toBe(1)
      expect(site.emulator.clink(id)?.status).toBe('pending')
      expect(stillClaimed(site.emulator)).toEqual([])
    },
  )

  it(
    'P1, §5: the sender of a clink that is given up since it ended the process is told',
    { timeout: 120_000 },
    async () => {
      const config = 'retry: { crashes: 1, onExhausted: complete }\n'
      await using site = await Site.open({ handler: poison.replace('FAULT', 'process.exit(0)'), config })
      const { clink_id: id } = site.emulator.send('ops', 'poison', { from: 'bob' })
      const { output } = await untilQuiet(site)

      expect(await site.noted()).toEqual(['poison', 'poison', 'poison'])
      expect(output).toMatch(new RegExp(`"event":"clink.deadLettered","clink":"${id}"`))
      expect(site.emulator.clink(id)?.status, output).toBe('completed')
      expect(answers(site.emulator).map(({ content }) => content)).toEqual([
        expect.stringMatching(new RegExp(`^This could not be done \\(process-ended, ${id}\\)\\.`)),
      ])
      const show = site.start('failed', 'show', id)
      expect([await show.exited, show.output]).toEqual([0, expect.stringContaining('its sender got the answer')])
    },
  )

  it(
    'a second worker on the same state directory is refused with 75 and told who has it',
    { timeout: 60_000 },
    async () => {
      await using site = await Site.open({ handler: slow, config: 'concurrency: 1\n' })
      const first = site.start('run')
      await until(
        () => first.output.includes('worker.ready'),
        () => `the first is ready:\n${first.output}`,
      )
      const second = site.start('run')

      expect(await second.exited).toBe(75)
      expect(second.output).toMatch(/held by another worker \(pid \d+ on /)
    },
  )
})
