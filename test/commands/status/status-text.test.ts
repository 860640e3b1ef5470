import { describe, expect, it } from 'vitest'
import { statusText } from '../../../src/commands/status/status-text.ts'
import type { Status } from '../../../src/control/status.ts'
import { told } from '../../support/status-facts.ts'

type Pause = NonNullable<Parameters<typeof told>[0]['pauses']>

const own = { route: 'work', isFleet: false, hasRoute: true, by: 'ann', note: null, since: 0, left: null }
const ofFleet = { route: 'work', isFleet: true, hasRoute: true, by: 'bob', note: 'upgrade', since: 0, left: 540_000 }
const route: Status['routes'][number] = {
  name: 'work',
  file: 'work.ts',
  generation: 1,
  isGone: false,
  running: 0,
  waiting: 0,
  held: 0,
  settling: 0,
  limits: { concurrency: null, rate: null, serial: null, serialScope: null, weight: 1 },
  waits: ['operator'],
  lastFailure: null,
}
const waits = { route: 'work', sender: null, why: 'paused', isParked: false, count: 3, left: null }

function text(pauses: Pause, notWorked: readonly (typeof waits | (Omit<typeof waits, 'route'> & { route: null }))[]) {
  const routes = [route, { ...route, name: 'other', waits: [] }]
  return statusText(told({ routes, pauses, notWorked }), { color: false })
}

it('a reload that failed is said beside what keeps the worker from its work', () => {
  const reload = { problem: 'c.yaml:1:1: pol: unknown key', since: 0 }
  const readiness = { ready: false, reasons: ['the service is away'] }
  expect(statusText(told({ readiness, reload }), { color: false }).split('\n').slice(1, 6)).toEqual([
    'the service is away',
    '  → clink-worker check --online',
    'the last reload failed, and what was in use before stays: c.yaml:1:1: pol: unknown key',
    '  → clink-worker check',
    '',
  ])
})

it('what the order of the inbox keeps out of reach is said of the inbox', () => {
  const inbox = { pending: 3, leftAlone: 97, isSaturated: true, isStarved: true }
  expect(statusText(told({ inbox }), { color: false })).toContain(
    '3 wait, 97 left alone, perhaps more, others are out of reach\n',
  )
})

describe('the status of a worker with a route that is paused', () => {
  it('says on its second line who wants that, for how long still, and why', () => {
    expect(text([ofFleet], [waits]).split('\n').slice(1, 3)).toEqual([
      'the route work is paused in the fleet (by bob, 9m 00s left: upgrade)',
      '  → clink-worker resume --fleet --route work',
    ])
    expect(text([{ ...own, left: 60_000, note: 'why not' }], [waits]).split('\n')[1]).toBe(
      'the route work is paused (by ann, 1m 00s left: why not)',
    )
  })

  it('says both where it is paused for the worker and in the fleet', () => {
    expect(text([own, ofFleet], [waits]).split('\n').slice(1, 4)).toEqual([
      'the route work is paused (by ann)',
      '  → clink-worker resume --route work',
      'the route work is paused in the fleet (by bob, 9m 00s left: upgrade)',
    ])
  })

  it.each([
    [[own], 'paused'],
    [[ofFleet], 'paused in the fleet'],
    [[{ ...ofFleet, route: null }], 'paused in the fleet'],
    [[own, ofFleet], 'paused, paused in the fleet'],
  ] satisfies [Pause, string][])('says of what waits whose pause that is: %#', (pauses, why) => {
    expect(text(pauses, [waits])).toMatch(new RegExp(`\\nNOT WORKED .*\\nwork +3 +${why}\\n`))
    expect(text(pauses, [{ ...waits, route: null }])).toMatch(new RegExp(`\\neverything +3 +${why}\\n`))
  })
})

it('a worker that is drained works nothing for that, and not since it is paused', () => {
  const draining = { by: 'ann', note: null, since: 0 }
  const said = statusText(told({ routes: [route], draining, notWorked: [waits] }), { color: false })
  expect(said).toMatch(/\nNOT WORKED .*\nwork +3 +drained\n/)
  expect(said).not.toContain('paused')
})

it('a worker that stops says so once', () => {
  const readiness = { ready: false, reasons: ['the worker is stopping'] }
  const said = statusText(told({ isStopping: true, readiness }), { color: false })
  expect(said.match(/is stopping/g)).toHaveLength(1)
})

describe('the status of a worker with a pause of a route that is not there', () => {
  const kept = { ...own, route: 'old', hasRoute: false, note: 'upgrade' }
  const idle = { ...route, waits: [] }
  const linesOf = (more: Parameters<typeof told>[0]) => statusText(told(more), { color: false }).split('\n').slice(1, 5)
  const said = ['a pause is kept for the route old, which is not there (by ann: upgrade)']
  const command = '  → clink-worker resume --route old'

  it('says that it is kept, and what ends it', () => {
    expect(linesOf({ pauses: [kept], routes: [idle] })).toEqual([
      ...said,
      command,
      '',
      expect.stringContaining('slots'),
    ])
  })

  it('says it beside what keeps the worker from working', () => {
    const readiness = { ready: false, reasons: ['the service is away'] }
    expect(linesOf({ pauses: [kept], routes: [idle], readiness })).toEqual([
      'the service is away',
      '  → clink-worker check --online',
      ...said,
      command,
    ])
    const all = { ready: false, reasons: ['all its routes are paused: work (by ann)'] }
    expect(linesOf({ pauses: [own, kept], routes: [route], readiness: all })).toEqual([
      'all its routes are paused: work (by ann)',
      '  → clink-worker resume --route work',
      ...said,
      command,
    ])
  })

  it('does not call for an end of what the fleet has paused: another worker may have the route', () => {
    const pause = { ...ofFleet, route: 'old', hasRoute: false }
    expect(linesOf({ pauses: [pause], routes: [idle] })).toEqual([
      'the route old, which is not there, is paused in the fleet (by bob, 9m 00s left: upgrade)',
      '',
      expect.anything(),
      expect.anything(),
    ])
  })
})

it('a route that is gone and has clinks in hand says so in its row', () => {
  const gone = { ...route, name: 'old', isGone: true, held: 8, waits: [] }
  const status = statusText(told({ routes: [{ ...route, waits: [] }, gone] }), { color: false })
  expect(status).toMatch(/\nold +0 +0 +8 +0 +not there any more\n/)
})
