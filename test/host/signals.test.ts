import { afterEach, expect, test } from 'vitest'
import { onSignals, untilStopped } from '../../src/host/signals.ts'
import { wishIsOver } from '../support/wish.ts'

let release = (): void => {}
let time = 0
afterEach(() => release())

function minded(hangUpStops = false): string[] {
  const calls: string[] = []
  const actions = {
    drain: (signal: string) => calls.push(`drain ${signal}`),
    hurry: () => calls.push('hurry'),
    quit: () => calls.push('quit'),
    reload: () => calls.push('reload'),
    report: () => calls.push('report'),
  }
  release = onSignals(actions, { hangUpStops, now: () => time })
  return calls
}

/** Sends them so many milliseconds apart. */
function send(apart: number, ...signals: readonly NodeJS.Signals[]): void {
  for (const signal of signals) {
    process.emit(signal, signal)
    time += apart
  }
}

test('the first TERM or INT drains, the second hurries, the third quits', () => {
  const calls = minded()
  send(1_000, 'SIGTERM', 'SIGINT', 'SIGTERM')
  expect(calls).toEqual(['drain SIGTERM', 'hurry', 'quit'])
})

test('signals within a second of the first of them are one wish, at every step', () => {
  const calls = minded()
  send(300, 'SIGINT', 'SIGINT', 'SIGTERM', 'SIGINT')
  expect(calls).toEqual(['drain SIGINT'])
  send(499, 'SIGINT', 'SIGINT', 'SIGINT')
  expect(calls).toEqual(['drain SIGINT', 'hurry'])
  send(0, 'SIGINT')
  expect(calls).toEqual(['drain SIGINT', 'hurry', 'quit'])
})

test('HUP and USR2 stop no service, however often', () => {
  const calls = minded()
  send(2_000, 'SIGHUP', 'SIGUSR2', 'SIGHUP', 'SIGINT')
  expect(calls).toEqual(['reload', 'report', 'reload', 'drain SIGINT'])
})

test('HUP of a terminal that is gone drains, and is never a second wish', () => {
  const calls = minded(true)
  send(2_000, 'SIGHUP', 'SIGHUP', 'SIGHUP', 'SIGTERM')
  expect(calls).toEqual(['drain SIGHUP', 'hurry'])
})

test('after the release signals are nobody’s again', () => {
  const calls = minded()
  release()
  process.emit('SIGUSR2', 'SIGUSR2')
  expect(calls).toEqual([])
})

test('it takes the place of whoever minded the signals before', () => {
  let early = 0
  const listener = (): void => void (early += 1)
  process.on('SIGUSR2', listener)
  release = () => process.off('SIGUSR2', listener)
  const calls = minded()
  process.emit('SIGUSR2', 'SIGUSR2')
  expect({ calls, early }).toEqual({ calls: ['report'], early: 0 })
})

test('a plain stop resolves with the first wish and says the second', async () => {
  let again = 0
  const before = (['SIGTERM', 'SIGINT', 'SIGHUP'] as const).map((name) => [name, process.listeners(name)] as const)
  release = () => {
    for (const [name, listeners] of before) {
      for (const listener of process.listeners(name)) if (!listeners.includes(listener)) process.off(name, listener)
    }
  }
  const stopped = untilStopped(() => void (again += 1))
  process.emit('SIGINT', 'SIGINT')
  expect(await stopped).toBe('SIGINT')
  expect(again).toBe(0)
  process.emit('SIGTERM', 'SIGTERM')
  expect(again).toBe(0)
  await wishIsOver()
  process.emit('SIGTERM', 'SIGTERM')
  expect(again).toBe(1)
})
