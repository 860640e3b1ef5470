import { expect, it } from 'vitest'
import { Reloads } from '../../src/daemon/reloads.ts'
import type { WorkerEvent } from '../../src/events.ts'

function reloads() {
  const events: WorkerEvent['event'][] = []
  const made = new Reloads(({ event }) => void events.push(event))
  return {
    events,
    reloads: made,
    asking: (read: () => void) => made.begin(undefined, () => [Promise.resolve().then(read)]),
  }
}

const wrong = new Error('c.yaml:1:1: pol: unknown key')
const broken = new Error('h.js: broken')

it('handlers that are loaded by the configuration of before mend nothing of the one that is there: that is said again', () => {
  const { events, reloads: all } = reloads()
  all.configFailed(wrong)
  const { failed } = all
  all.handlersLoaded(2, [])
  expect(all.failed).toEqual(failed)
  expect(events).toEqual(['config.failed', 'handlers.loaded', 'config.failed'])
  all.configRead()
  all.handlersFailed(broken, 2)
  expect(all.failed).toEqual({ problem: broken.message, since: failed?.since })
  all.handlersLoaded(3, [])
  expect(all.failed).toBe(null)
})

it('a reload tells all that went wrong in it, be it the key, and nothing of what was before', async () => {
  const { asking, reloads: all } = reloads()
  all.handlersFailed(broken, 1)
  asking(() => {
    all.configFailed(wrong)
    all.keyRead('the key file k is empty')
    all.keyRead(undefined)
  })
  expect(await all.reload()).toEqual({
    problem: `${wrong.message}\nthe key in the key file cannot be used: the key file k is empty`,
    restart: [],
  })
  asking(() => all.configUsed({ 'at-once': ['concurrency'], 'new-deliveries': [], restart: ['server.port'] }))
  expect(await all.reload()).toEqual({ problem: undefined, restart: ['server.port'] })
})
