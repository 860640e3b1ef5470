import { afterEach, expect, test } from 'vitest'
import { onSignals, untilStopped } from '../../src/host/signals.ts'

let release = (): void => {}
afterEach(() => release())

function minded(): string[] {
  const calls: string[] = []
  release = onSignals({
    drain: (signal) => calls.push(`drain ${signal}`),
    hurry: () => calls.push('hurry'),
    quit: () => calls.push('quit'),
    hangUp: () => calls.push('hangUp'),
    report: () => calls.push('report'),
  })
  return calls
}

test('the first TERM or INT drains, the second hurries, the third quits', () => {
  const calls = minded()
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) process.emit(signal, signal)
  expect(calls).toEqual(['drain SIGTERM', 'hurry', 'quit'])
})

test('HUP and USR2 stop nothing, however often', () => {
  const calls = minded()
  for (const signal of ['SIGHUP', 'SIGUSR2', 'SIGHUP', 'SIGINT'] as const) process.emit(signal, signal)
  expect(calls).toEqual(['hangUp', 'report', 'hangUp', 'drain SIGINT'])
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

test('a plain stop resolves with the first signal and says the second', async () => {
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
  expect(again).toBe(1)
})
