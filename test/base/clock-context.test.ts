import { AsyncLocalStorage } from 'node:async_hooks'
import { expect, it } from 'vitest'
import { after, sleep, systemClock } from '../../src/base/clock.ts'

it('what is due runs in the context of nobody, and whoever sleeps goes on in its own', async () => {
  const clock = systemClock()
  const storage = new AsyncLocalStorage<string>()
  const seen: (string | undefined)[] = []
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const note = (): void => void seen.push(storage.getStore())
  // It is due first, so a handler sets the timer for all of them.
  storage.run('a handler', () => after(clock, 1, note))
  after(clock, 2, note)
  after(clock, 3, () => {
    note()
    resolve(undefined)
  })
  const own = storage.run('another', async () => {
    await sleep(clock, 2)
    return storage.getStore()
  })
  await promise
  expect(seen).toEqual([undefined, undefined, undefined])
  expect(await own).toBe('another')
})
