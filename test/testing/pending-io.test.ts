import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'
import { PendingIo } from '../../src/testing/pending-io.ts'

/** A program that runs until it is ended. */
async function program(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  return child
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('a program that was there before counts as idle, and none that comes in its place', async () => {
  const before = await program()
  const io = new PendingIo(() => 0)
  expect(io.isUnderWay).toBe(false)
  await ended(before)
  expect(io.isUnderWay).toBe(false)
  await program()
  expect(io.isUnderWay).toBe(true)
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
  expect(io.isUnderWay).toBe(false)
  const read = readFile(import.meta.filename)
  expect(io.isUnderWay).toBe(true)
  await read
  expect(io.isUnderWay).toBe(false)
})
