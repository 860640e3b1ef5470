import { describe, expect, it } from 'vitest'
import { ClinkClient } from '../../src/clink/client.ts'
import { operationNames, type OperationName } from '../../src/clink/contract.ts'
import { TransportError, type TransportFailure } from '../../src/clink/transport.ts'
import { answer, JumpingClock, ScriptedTransport, type Step } from '../support/scripted.ts'
import { sampleCalls } from '../support/sample-calls.ts'
import { untyped } from '../support/untyped.ts'

const failing = (...steps: Step[]): ClinkClient =>
  new ClinkClient({
    key: 'sk_live_u_1',
    attempts: steps.length,
    clock: new JumpingClock(),
    random: () => 0,
    transport: new ScriptedTransport(...steps),
  })

/** The samples of `get_clinks` and `check_inbox` mark as read and claim. */
const changing = operationNames.filter(
  (name) => !/^(list|get)_|^resolve_group$/.test(name) || ['get_clinks'].includes(name),
)
const reading = operationNames.filter((name) => !changing.includes(name))
const call = async (client: ClinkClient, name: OperationName): Promise<unknown> =>
  await untyped(client, name, sampleCalls[name].params)

const lost = (kind: TransportFailure, sent: 'no' | 'maybe'): TransportError => new TransportError(kind, sent, kind)
const doubtful: readonly (readonly [string, Step])[] = [
  ['a timeout after sending', lost('timeout', 'maybe')],
  ['a reset', lost('reset', 'maybe')],
  ['a cut answer', lost('cut', 'maybe')],
  ['an answer too large', lost('too-large', 'maybe')],
  ['an abort after sending', lost('aborted', 'maybe')],
  ['a 408', answer(408, {})],
  ['a 500', answer(500, { success: false })],
  ['a 502 page', answer(502, '<html>')],
  ['a 503', answer(503, {})],
  ['a 200 that is no JSON', answer(200, '{"succ')],
  ['a 200 without success', answer(200, { success: false })],
  ['a 204', answer(204, '')],
]
const certain: readonly (readonly [string, Step])[] = [
  ['a refused connection', lost('refused', 'no')],
  ['an unknown name', lost('dns', 'no')],
  ['a TLS failure', lost('tls', 'no')],
  ['a deadline before sending', lost('deadline', 'no')],
  ['a timeout before sending', lost('timeout', 'no')],
  ['an abort before sending', lost('aborted', 'no')],
  ...[301, 302, 307, 308, 400, 401, 403, 404, 409, 410, 413, 422, 429].map(
    (status) => [`a ${status}`, answer(status, { success: false })] as const,
  ),
]

describe('what changes something', () => {
  it.each(doubtful)('may have happened after %s', async (_, step) => {
    for (const name of changing) {
      await expect(call(failing(step), name), name).rejects.toMatchObject({
        name: 'ClinkApiError',
        mayHaveHappened: true,
      })
    }
  })

  it.each(certain)('has not happened after %s', async (_, step) => {
    for (const name of changing) {
      await expect(call(failing(step), name), name).rejects.toMatchObject({
        name: 'ClinkApiError',
        mayHaveHappened: false,
      })
    }
  })

  it('may have happened in an earlier try, whatever the last one was answered', async () => {
    const client = failing(lost('reset', 'maybe'), lost('refused', 'no'), answer(409, { success: false }))
    await expect(client.completeClink({ clink_id: 'msg_1' })).rejects.toMatchObject({
      status: 409,
      mayHaveHappened: true,
    })
  })
})

it.each([...doubtful, ...certain])('a plain read never has: %s', async (_, step) => {
  for (const name of reading) {
    await expect(call(failing(step), name), name).rejects.toMatchObject({ mayHaveHappened: false })
  }
  await expect(failing(step).checkInbox({ claim: false })).rejects.toMatchObject({ mayHaveHappened: false })
  await expect(failing(step).getClinks({ mark_read: false })).rejects.toMatchObject({ mayHaveHappened: false })
})

it('an answer that did not come has status 0 and its kind', async () => {
  await expect(failing(lost('dns', 'no')).listGroups()).rejects.toMatchObject({
    status: 0,
    failure: 'dns',
    operation: 'list_groups',
    message: 'list_groups: dns',
  })
})
