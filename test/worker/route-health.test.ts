import { expect, it } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import type { WorkerEvent } from '../../src/events.ts'
import type { Route } from '../../src/handlers/route.ts'
import { RouteHealth } from '../../src/worker/route-health.ts'

const route = (name: string, generation = 1): Route => ({
  name,
  file: name,
  generation,
  handle: () => 'done',
  with: {},
  timeout: 60_000,
  retry: { attempts: 5, backoff: 60_000, maxBackoff: 60_000 },
})

it('a paused route that a reload has taken away is not paused any more; one that it has brought again is open (§4)', () => {
  const events: WorkerEvent[] = []
  const health = new RouteHealth({
    clock: { ...systemClock(), at: () => () => {} },
    random: () => 0.5,
    emit: (event) => events.push(event),
    onChange: () => {},
  })
  for (let n = 0; n < 10; n += 1) health.ended(route('old'), `clink ${n % 5}`, new Error('away'))
  expect(health.paused([route('old'), route('other')])).toEqual(['old'])
  expect(health.paused([route('other')])).toEqual([])
  expect(health.paused([route('old', 2), route('other')])).toEqual([])
  expect(events.map(({ event }) => event)).toEqual(['route.paused', 'route.resumed'])
})
