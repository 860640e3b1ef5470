import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { WorkerEvent } from '../../src/events.ts'
import type { State } from '../../src/journal/state.ts'
import { keptIdentity } from '../../src/keys/identity.ts'
import type { DeadLetter } from '../../src/ledger/dead-letters.ts'
import { CrashWatch } from '../../src/worker/execution/crash-watch.ts'
import { WorkerSignals } from '../../src/worker/signals.ts'
import { makeSettings } from '../support/settings.ts'
import { open, recalled } from '../support/states.ts'
import { TempDir } from '../support/temp-dir.ts'
import { clinkOf, letterOf, SERVICE } from '../support/written-journal.ts'

/** The wall time at which everything in it was written. */
const AT = Date.UTC(2026, 10, 26)
const letter = (id: string, more: Partial<DeadLetter>): DeadLetter => letterOf(id, { at: AT, ...more })

// How the file was made: fixtures/README.md.
describe('a journal that was written before the rooms', () => {
  const directory = new TempDir()
  let state: State

  beforeAll(() => {
    copyFileSync(join(import.meta.dirname, 'fixtures/before-rooms.db'), join(directory.path, 'journal.db'))
    state = open(directory.path)
  })

  afterAll(() => {
    state.close()
    directory[Symbol.dispose]()
  })

  it('is read as ours', () => {
    expect([state.isOurs, state.problem(), state.ledger.isHealthy]).toEqual([true, undefined, true])
  })

  it('has the starts of handlers, with what they ended in', () => {
    const { ledger } = state
    expect(ledger.attemptsOf('tried').starts).toBe(2)
    expect(ledger.attemptsOf('tried').errors).toEqual(['first error', 'second error'])
    expect([ledger.attemptsOf('tried').excused, ledger.attemptsOf('tried').outlived]).toEqual([1, 1])
    expect([ledger.attemptsOf('running').starts, ledger.attemptsOf('running').excused]).toEqual([1, 1])
    expect(ledger.attemptsOf('nobody').starts).toBe(0)
  })

  it('has results that are still to be sent', async () => {
    const { ledger } = state
    expect(ledger.keptResult(clinkOf('kept'))).toEqual({
      content: 'content of kept',
      response: 'the answer',
      leases: 1,
      at: AT,
    })
    expect(ledger.keptResult(clinkOf('kept-empty'))).toEqual({ content: 'content of kept-empty', leases: 0, at: AT })
    expect(ledger.keptResult({ ...clinkOf('kept'), content: 'other' })).toBeUndefined()
    expect(ledger.keptResult(clinkOf('unsettleable'))).toMatchObject({ response: 'nobody took it', leases: 0 })
    expect(await ledger.failedLease('kept', 5_000)).toMatchObject({ leases: 2 })
  })

  it('has dead letters: plain, with a notice that is not confirmed, and with each rest of a rerun', async () => {
    const { letters } = state.ledger
    const due = {
      reason: 'it failed again',
      errors: ['one', 'two', 'it failed again'],
      rerun: { step: 'due', notBefore: AT + 60_000 },
    } as const
    expect(letters.all()).toEqual([
      letter('released', { tell: 'release' }),
      letter('unsettleable', { tell: 'release', at: AT + 1 }),
      letter('noticed', { notice: 'It failed.', at: AT + 2 }),
      letter('due', { ...due, at: AT + 3 }),
      letter('ready', { rerun: { step: 'ready', response: 'at last' }, at: AT + 4 }),
      letter('unknown', { rerun: { step: 'unknown', response: 'sent?' }, at: AT + 5 }),
    ])
    expect(letters.page().rows).toEqual(letters.all())
    expect(letters.reruns().map(({ clink }) => clink.clink_id)).toEqual(['due', 'ready'])
    expect((await recalled(state.ledger, 'noticed')).unconfirmed(clinkOf('noticed'))).toEqual({
      response: 'It failed.',
    })
    expect(letters.mayBePending).toBe(true)
  })

  it('knows what was discarded, and what an operator had retried', async () => {
    const { ledger } = state
    expect([ledger.letters.get('discarded'), (await recalled(ledger, 'discarded')).isGivenUp]).toEqual([
      undefined,
      true,
    ])
    expect([(await recalled(ledger, 'retried')).isGivenUp, await ledger.retry('retried')]).toEqual([false, 'done'])
    expect(await ledger.retry('nobody')).toBe('unknown')
  })

  it('has late results', () => {
    const late = { clink: clinkOf('late'), why: 'late', outcome: 'done', response: 'too late', attempt: 2, at: AT }
    const elsewhere = { clink: clinkOf('elsewhere'), why: 'elsewhere', outcome: 'reject', reason: 'not for me' }
    expect(state.ledger.late.all()).toEqual([
      { route: 'work', ...late },
      { route: 'work', ...elsewhere, attempt: 1, at: AT + 1 },
    ])
  })

  it('leaves alone what cools, and what it has sent itself', async () => {
    const { ledger } = state
    expect([(await recalled(ledger, 'cooling')).isCooling, (await recalled(ledger, 'cooled')).isCooling]).toEqual([
      true,
      false,
    ])
    expect(ledger.cooling.hasBetween(AT, AT + 1)).toBe(true)
    expect([(await recalled(ledger, 'own')).isOwn, (await recalled(ledger, 'other')).isOwn]).toEqual([true, false])
  })

  it('has the claims that were in hand, and the program that ran for one', () => {
    const { ledger } = state
    const lease = { boot: 'boot-1', sent: 96_000, end: 396_000, wall: AT + 296_000, margin: 1_000 }
    const told = { ...lease, serverEnd: AT + 300_000 }
    const due = { uptime: 160_000, wall: AT + 60_000 }
    const common = { route: 'work', running: false, releasing: false }
    expect(ledger.process.claims()).toEqual([
      { ...common, clink: clinkOf('running'), ...told, running: true, key: '0123456789abcdef' },
      { ...common, clink: clinkOf('held'), ...told, due },
      { ...common, clink: clinkOf('releasing'), ...lease, releasing: true, isUnknown: true },
    ])
    const group = { id: 4711, started: '1234', run: 'run-1' }
    expect(ledger.process.programs.all()).toEqual([{ clinkId: 'running', boot: 'boot-1', group }])
  })

  it('knows who the worker is, its session, its key, and what the service does', () => {
    const { ledger } = state
    expect([ledger.process.fact('session'), ledger.process.fact('key')]).toEqual([
      '0011223344556677',
      'agent-1 0123456789abcdef',
    ])
    expect(keptIdentity(ledger, SERVICE)).toBe('agent-1')
    expect(ledger.process.serviceFact(SERVICE, 'siblings')).toBe('refused')
    expect([ledger.process.fact('looked'), ledger.process.fact('looking since')]).toEqual([String(AT), String(AT)])
  })

  // Last: the start of a worker changes what is asked above.
  it('tells of the crash, and of the clinks that may have caused it', async () => {
    const { ledger } = state
    const events: WorkerEvent[] = []
    const clock = { now: () => 0, wall: () => AT + 60_000, at: () => () => {} }
    const emit = (event: WorkerEvent): number => events.push(event)
    const signals = new WorkerSignals()
    await new CrashWatch({ ledger, emit, clock, settings: makeSettings(), signals }).begin(ledger.process.claims())
    expect(events).toEqual([{ event: 'worker.crashed', crashes: 2, running: ['running'] }])
    expect(['running', 'beside', 'suspect', 'held'].map((id) => ledger.attemptsOf(id).isSuspect)).toEqual([
      true,
      true,
      true,
      false,
    ])
    expect([
      ledger.attemptsOf('suspect').crashes,
      ledger.attemptsOf('running').crashes,
      ledger.attemptsOf('running').excused,
    ]).toEqual([1, 0, 1])
  })
})
