import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { PendingIo } from '../../src/testing/pending-io.ts'

/** Whatever else the process had under way, as a file that is read, is over soon. */
const atRest = async (io: PendingIo): Promise<void> => await expect.poll(() => io.isUnderWay).toBe(false)

/** A program that runs until it is ended. */
async function program(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  return child
}

async function ended(child: ChildProcess): Promise<void> {
  const programs = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'ProcessWrap').length
  const before = programs()
  child.kill('SIGKILL')
  await once(child, 'exit')
  await expect.poll(programs).toBeLessThan(before)
}

test('a program that was there before counts as idle, and none that comes in its place', async () => {
  const before = await program()
  const io = new PendingIo(() => 0)
  await atRest(io)
  await ended(before)
  await atRest(io)
  const next = await program()
  for (let n = 0; n < 20; n += 1) {
    expect(io.isUnderWay).toBe(true)
    await delay(5)
  }
  await ended(next)
  await atRest(io)
})

test('a program that runs for ten seconds counts as idle, though something else comes and goes all the time', async () => {
  let now = 0
  const io = new PendingIo(() => now)
  await program()
  for (; now < 10_000; now += 1_000) {
    const read = readFile(import.meta.filename)
    expect(io.isUnderWay).toBe(true)
    await read
    expect(io.isUnderWay).toBe(true)
  }
  await atRest(io)
  const read = readFile(import.meta.filename)
  expect(io.isUnderWay).toBe(true)
  await read
  await atRest(io)
})
