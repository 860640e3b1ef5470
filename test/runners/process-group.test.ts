import { existsSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { tryTo } from '../../src/base/try-to.ts'
import { startOf } from '../../src/runners/process-table.ts'
import { until } from '../support/until.ts'
import { kernelGroups, LeftProgram } from '../support/left-program.ts'

const STAY = 'echo up; exec sleep 1000'
/** Its leader ends; what that has started goes on. */
const LEADERLESS = 'sleep 1000 & echo up'

beforeEach((context) =>
  context.skip(!existsSync('/proc/self/stat'), 'no /proc here: process groups are not told apart'),
)

describe('P3, §4: a process group', () => {
  it('is alive until it has been killed', async () => {
    await using program = await LeftProgram.start(STAY, 'run-1')
    const before = await kernelGroups.isAlive(program.group)
    await until(async () => !(await kernelGroups.end(program.group)), 'it is gone')

    expect(before).toBe(true)
    expect(startOf(program.group.id)).toBeUndefined()
  })

  it('is alive as long as anything that its leader has started, and all of it is killed', async () => {
    await using program = await LeftProgram.start(LEADERLESS, 'run-1')
    await until(() => !existsSync(`/proc/${program.group.id}`), 'the leader has gone')
    const before = await kernelGroups.isAlive(program.group)
    await until(async () => !(await kernelGroups.end(program.group)), 'it is gone')

    expect(before).toBe(true)
  })

  it('is another one when its leader was started at another time, and is left in peace', async () => {
    await using program = await LeftProgram.start(STAY, 'run-1')
    const other = { ...program.group, started: '1', run: 'run-2' }
    await kernelGroups.end(other)

    expect(await kernelGroups.isAlive(other)).toBe(false)
    expect(startOf(program.group.id)).toBe(program.group.started)
  })

  it('is another one when its leader has gone and its environment names another run', async () => {
    await using program = await LeftProgram.start(LEADERLESS, 'run-1')
    await until(() => !existsSync(`/proc/${program.group.id}`), 'the leader has gone')

    expect(await kernelGroups.isAlive({ ...program.group, run: 'run-2' })).toBe(false)
    expect(await kernelGroups.isAlive(program.group)).toBe(true)
  })

  it('is told by its number when its leader has gone, where that has not been given away', async () => {
    await using program = await LeftProgram.start(LEADERLESS, 'run-1')
    await until(() => !existsSync(`/proc/${program.group.id}`), 'the leader has gone')
    const unmarked = { ...program.group, run: 'run-2', isHeld: true }
    const before = await kernelGroups.isAlive(unmarked)
    await until(async () => !(await kernelGroups.end(unmarked)), 'it is gone')

    expect(before).toBe(true)
    expect(await kernelGroups.isAlive(program.group)).toBe(false)
  })

  it('is another one when another process leads it, even if its number was not given away at the last look', async () => {
    await using program = await LeftProgram.start(STAY, 'run-1')
    expect(await kernelGroups.isAlive({ ...program.group, started: '1', run: 'run-2', isHeld: true })).toBe(false)
  })

  it.each([
    ['a session of its own', 'setsid sh -c "echo up; exec sleep 1000"; sleep 1000'],
    ['a second fork and a session of its own', '(setsid sh -c "echo up; exec sleep 1000" &) ; exit 0'],
  ])('is alive as long as anything with its mark, also in %s, and all of it is killed', async (_, script) => {
    await using program = await LeftProgram.start(script, `run-${process.pid}-away`)
    const { group } = program
    tryTo(() => process.kill(-group.id, 'SIGKILL'))
    await until(() => !existsSync(`/proc/${group.id}`), 'the leader has gone')
    const found = await kernelGroups.isAlive(group)
    await until(async () => !(await kernelGroups.end(group)), 'it is gone')

    expect(found).toBe(true)
  })

  it('of which only the mark is known is found by that', async () => {
    await using program = await LeftProgram.start(STAY, `run-${process.pid}-mark`)
    expect(await kernelGroups.isAlive({ ...program.group, id: 0, started: '' })).toBe(true)
    expect(await kernelGroups.isAlive({ id: 0, started: '', run: 'run-of-nobody' })).toBe(false)
  })

  it('is looked for once for all who ask within 100 ms', async () => {
    const times: number[] = []
    const start = performance.now()
    const ask = async (): Promise<void> => {
      await kernelGroups.isAlive({ id: 0, started: '', run: 'run-of-nobody' })
      times.push(performance.now() - start)
    }
    await Promise.all([ask(), ask(), ask()])
    const first = ask()
    await Promise.all([first, ask()])

    expect(new Set(times.slice(0, 3).map(Math.round)).size).toBeLessThanOrEqual(2)
    expect((times[3] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(50)
  })
})
