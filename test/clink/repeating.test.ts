import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { ClinkClient, type ClientOptions } from '../../src/clink/client.ts'
import { operationNames, type OperationName } from '../../src/clink/contract.ts'
import { TransportError, type TransportFailure } from '../../src/clink/transport.ts'
import { answer, JumpingClock, ok, ScriptedTransport, type Step } from '../support/scripted.ts'
import * as records from '../support/sample-records.ts'
import { sampleCalls } from '../support/sample-calls.ts'
import { untyped } from '../support/untyped.ts'

interface Setting {
  readonly client: ClinkClient
  readonly transport: ScriptedTransport
  readonly clock: JumpingClock
}

function setting(steps: readonly Step[], options: Partial<ClientOptions> = {}): Setting {
  const transport = new ScriptedTransport(...steps)
  const clock = new JumpingClock()
  const client = new ClinkClient({ key: 'sk_live_u_1', transport, clock, random: () => 0.5, ...options })
  return { client, transport, clock }
}

const lost = (kind: TransportFailure, sent: 'no' | 'maybe'): TransportError => new TransportError(kind, sent, kind)
const unsent: Step[] = [lost('refused', 'no'), lost('dns', 'no'), lost('tls', 'no'), lost('timeout', 'no')]
const unanswered: Step[] = [lost('reset', 'maybe'), lost('timeout', 'maybe'), lost('cut', 'maybe')]
const busy: Step[] = [answer(408, {}), answer(500, {}), answer(502, '<html>'), answer(503, {}, { 'retry-after': '1' })]
const limited = answer(429, {}, { 'retry-after': '1' })
const never: readonly OperationName[] = [
  'send_clink',
  'create_milestone',
  'create_project',
  'create_proposal',
  'add_checkpoint',
  'cast_vote',
  'submit_feedback',
  'delete_checkpoint',
]
/** Their samples claim and mark as read. */
const writingReads: readonly OperationName[] = ['check_inbox', 'get_clinks']
const careful: readonly OperationName[] = [...never, 'release_clink']
const repeatable = operationNames.filter((name) => !careful.includes(name) && !writingReads.includes(name))

/** How many requests a call made when the first was answered by `step` and the second would succeed. */
async function tries(name: OperationName, step: Step): Promise<number> {
  const { client, transport } = setting([step, ok(sampleCalls[name].data)])
  await untyped(client, name, sampleCalls[name].params).catch(() => undefined)
  return transport.requests.length
}

describe('a call', () => {
  it('that may be repeated is, after every failure that can pass', async () => {
    for (const name of repeatable) {
      for (const step of [...unsent, ...unanswered, ...busy, limited]) expect(await tries(name, step), name).toBe(2)
    }
  })

  it('that must not happen twice is repeated only when it surely was not sent, or was answered 429', async () => {
    for (const name of careful) {
      for (const step of [...unsent, limited]) expect(await tries(name, step), name).toBe(2)
      for (const step of [...unanswered, ...busy]) expect(await tries(name, step), name).toBe(1)
    }
  })

  it('that reads and writes is never repeated by itself', async () => {
    for (const name of writingReads) {
      for (const step of [...unsent, ...unanswered, ...busy, limited]) expect(await tries(name, step), name).toBe(1)
    }
  })

  it('is not repeated after an answer that would stay the same', async () => {
    const final: Step[] = [
      ...[302, 400, 401, 403, 404, 409, 422].map((status) => answer(status, { success: false })),
      answer(200, '<html>'),
      answer(200, { success: false }),
      lost('too-large', 'maybe'),
      lost('deadline', 'no'),
      lost('aborted', 'no'),
    ]
    for (const step of final) expect(await tries('list_groups', step)).toBe(1)
  })

  it('is repeated with the same request', async () => {
    const { client, transport } = setting([lost('reset', 'maybe'), answer(503, {}), ok(records.clink)])
    await client.claimClink({ clink_id: 'msg_1', timeout_seconds: 60 })
    expect(transport.requests).toHaveLength(3)
    expect(new Set(transport.requests.map((request) => JSON.stringify(request))).size).toBe(1)
  })

  it('that must not meet a used connection says so to the transport', async () => {
    for (const name of operationNames) {
      const { client, transport } = setting([ok(sampleCalls[name].data)])
      await untyped(client, name, sampleCalls[name].params)
      const own = transport.requests[0]?.fresh === true
      expect(own, name).toBe(careful.includes(name) || writingReads.includes(name))
    }
  })

  it('is tried four times, or as often as was said', async () => {
    const steps = Array.from({ length: 9 }, () => answer(503, {}))
    const usual = setting(steps)
    await expect(usual.client.listGroups()).rejects.toMatchObject({ status: 503 })
    const patient = setting(steps, { attempts: 6 })
    await expect(patient.client.listGroups()).rejects.toMatchObject({ status: 503 })
    await expect(patient.client.listGroups({}, { attempts: 1 })).rejects.toMatchObject({ status: 503 })
    expect([usual.transport.left, patient.transport.left]).toEqual([5, 2])
  })
})

describe('the wait before another try', () => {
  it('doubles, with jitter', async () => {
    const steps = Array.from({ length: 8 }, () => answer(503, {}))
    const { client, clock } = setting(steps, { attempts: 8, random: () => 1 })
    await expect(client.listGroups()).rejects.toMatchObject({ status: 503 })
    expect(clock.waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
    const jittered = setting([...steps], { attempts: 2, random: () => 0.25 })
    await expect(jittered.client.listGroups()).rejects.toMatchObject({ status: 503 })
    expect(jittered.clock.waits).toEqual([125])
  })

  it('is at least what Retry-After asks for in seconds', async () => {
    const { client, clock } = setting([answer(429, {}, { 'retry-after': '7' }), ok({ groups: [] })])
    await client.listGroups()
    expect(clock.waits).toEqual([7_250])
  })

  it('is at least what Retry-After asks for as a date of the service', async () => {
    const headers = { 'retry-after': 'Sun, 01 Nov 2026 09:00:20 GMT', date: 'Sun, 01 Nov 2026 09:00:05 GMT' }
    const { client, clock } = setting([answer(503, {}, headers), ok({ groups: [] })])
    await client.listGroups()
    expect(clock.waits).toEqual([15_250])
  })

  it('is not taken when it would be longer than a minute', async () => {
    const { client, clock } = setting([answer(429, {}, { 'retry-after': '61' }), ok({ groups: [] })])
    await expect(client.listGroups()).rejects.toMatchObject({ status: 429, retryAfter: 61_000 })
    expect(clock.waits).toEqual([])
  })

  it('is not taken when it would reach the deadline', async () => {
    const { client, clock, transport } = setting([answer(429, {}, { 'retry-after': '7' }), ok({ groups: [] })])
    await expect(client.listGroups({}, { deadline: clock.now() + 7_250 })).rejects.toMatchObject({ status: 429 })
    expect(clock.waits).toEqual([])
    expect(transport.requests[0]?.deadline).toBe(clock.now() + 7_250)
  })

  it('ends when the caller gives up, and what may have happened is still said', async () => {
    const busy = answer(503, {}, { 'retry-after': '60' })
    const { client, transport } = setting([busy, ok(records.clink)], { clock: systemClock() })
    const caller = new AbortController()
    const call = client.claimClink({ clink_id: 'msg_1' }, { signal: caller.signal })
    setTimeout(() => caller.abort(), 20)
    await expect(call).rejects.toMatchObject({ status: 0, failure: 'aborted', mayHaveHappened: true })
    expect(transport.requests).toHaveLength(1)
  })
})
