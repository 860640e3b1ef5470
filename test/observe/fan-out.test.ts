import { expect, test } from 'vitest'
import { fanOut } from '../../src/observe/fan-out.ts'

test('a subscriber that throws keeps no other from being told, and nobody who emits from going on', () => {
  const heard: string[] = []
  const emit = fanOut(
    [
      () => {
        throw new Error('deaf')
      },
      ({ event }) => heard.push(event),
    ],
    (error, event) => {
      heard.push(`${event}: ${error.message}`)
      throw error
    },
  )
  emit({ event: 'worker.ready' })
  emit({ event: 'inbox.reached' })
  expect(heard).toEqual(['worker.ready: deaf', 'worker.ready', 'inbox.reached: deaf', 'inbox.reached'])
})
