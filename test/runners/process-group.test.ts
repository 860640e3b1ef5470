import { existsSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { kernelGroups, startOf } from '../../src/runners/process-group.ts'
import { until } from '../support/until.ts'
import { LeftProgram } from '../support/left-program.ts'

const STAY = 'echo up; exec sleep 1000'
/** Its leader ends; what that has started goes on. */
const LEADERLESS = 'sleep 1000 & echo up'

beforeEach((context) =>
  context.skip(!existsSync('/proc/self/stat'), 'no /proc here: process groups are not told apart'),
)

describe('P3, §4: a process group', () => {
  it('is alive until it has been killed', async () => {
    await using program = await LeftProgram.start(STAY, 'run-1')
    const before = kernelGroups.isAlive(program.group)
    kernelGroups.kill(program.group)
    await until(() => !kernelGroups.isAlive(program.group), 'it is gone')

    expect(before).toBe(true)
    expect(startOf(program.group.id)).toBeUndefined()
  })

  it('is alive as long as anything that its leader has started, and all of it is killed', async () => {
    await using program = await LeftProgram.start(LEADERLESS, 'run-1')
    await until(() => !existsSync(`/proc/${program.group.id}`), 'the leader has gone')
    const before = kernelGroups.isAlive(program.group)
    kernelGroups.kill(program.group)
    await until(() => !kernelGroups.isAlive(program.group), 'it is gone')

    expect(before).toBe(true)
  })

  it('is another one when its leader was started at another time, and is left in peace', async () => {
    await using program = await LeftProgram.start(STAY, 'run-1')
    const other = { ...program.group, started: '1' }
    kernelGroups.kill(other)

    expect(kernelGroups.isAlive(other)).toBe(false)
    expect(startOf(program.group.id)).toBe(program.group.started)
  })

  it('is another one when its leader has gone and its environment names another run', async () => {
    await using program = await LeftProgram.start(LEADERLESS, 'run-1')
    await until(() => !existsSync(`/proc/${program.group.id}`), 'the leader has gone')

    expect(kernelGroups.isAlive({ ...program.group, run: 'run-2' })).toBe(false)
    expect(kernelGroups.isAlive(program.group)).toBe(true)
  })
})
