import { expect, it } from 'vitest'
import { AbortSource } from '../../src/base/abort-source.ts'
import { onAbort } from '../../src/base/on-abort.ts'

it('calls all who wait for a signal, in order, and nobody who has left', () => {
  const calls: string[] = []
  const { abort, signal } = bound()
  onAbort(signal, () => calls.push('first'))
  onAbort(signal, () => calls.push('left'))()
  onAbort(signal, () => calls.push('second'))
  expect(calls).toEqual([])
  abort()
  onAbort(signal, () => calls.push('late'))
  expect(calls).toEqual(['first', 'second', 'late'])
})

it('is told by a signal that is asked for after the abort, with its reason', () => {
  const source = new AbortSource()
  const reason = new Error('over')
  source.abort(reason)
  source.abort(new Error('again'))
  expect(source.signal.aborted).toBe(true)
  expect(source.signal.reason).toBe(reason)
})

it('tells a signal that is there already', () => {
  const source = new AbortSource()
  const { signal } = source
  expect(signal.aborted).toBe(false)
  source.abort()
  expect(signal.reason).toBeInstanceOf(DOMException)
  expect(source.signal).toBe(signal)
})

function bound(): { abort: () => void; signal: AbortSignal } {
  const controller = new AbortController()
  return { abort: () => controller.abort(), signal: controller.signal }
}
