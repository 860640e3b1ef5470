import { describe, expect, it } from 'vitest'
import { ClinkClient } from '../../src/clink/client.ts'
import { operationNames, operations } from '../../src/clink/contract.ts'
import { ok, ScriptedTransport } from '../support/scripted.ts'
import * as records from '../support/sample-records.ts'
import { sampleCalls } from '../support/sample-calls.ts'
import { untyped } from '../support/untyped.ts'

const silent = new ScriptedTransport()
const client = new ClinkClient({ key: 'sk_live_u_1', transport: silent })

const refusals: readonly (readonly [operation: string, params: unknown, message: string])[] = [
  [
    'send_clink',
    { group_id: 'g1', content: 'x', fro: 'u1' },
    'send_clink: the parameter fro is not a parameter of it: "u1"',
  ],
  ['list_groups', { constructor: 1 }, 'list_groups: the parameter constructor is not a parameter of it: 1'],
  ['send_clink', { content: 'x' }, 'send_clink: the parameter group_id is missing'],
  ['send_clink', { group_id: 'g1', content: null }, 'send_clink: the parameter content is missing'],
  ['get_group', undefined, 'get_group: the parameter group_id is missing'],
  ['get_group', { group_id: 7 }, 'get_group: the parameter group_id must be a text: 7'],
  ['check_inbox', { limit: '10' }, 'check_inbox: the parameter limit must be a whole number: "10"'],
  ['check_inbox', { limit: 1.5 }, 'check_inbox: the parameter limit must be a whole number: 1.5'],
  ['check_inbox', { limit: 10n }, 'check_inbox: the parameter limit must be a whole number: 10n'],
  [
    'submit_feedback',
    { category: 'bug', content: 'x', context: { tool: 10n } },
    'submit_feedback: the parameters cannot be written as JSON',
  ],
  ['check_inbox', { claim: 'true' }, 'check_inbox: the parameter claim must be true or false: "true"'],
  ['mark_read', { group_ids: ['g1', 2] }, "mark_read: the parameter group_ids must be a list of texts: [ 'g1', 2 ]"],
  [
    'submit_feedback',
    { category: 'bug', content: 'x', context: [] },
    'submit_feedback: the parameter context must be an object: []',
  ],
  [
    'create_milestone',
    { group_id: 'g', title: 't', checkpoints: {} },
    'create_milestone: the parameter checkpoints must be a list: {}',
  ],
  ['resolve_group', { slug: '' }, 'resolve_group: the parameter slug must not be empty: ""'],
  ['open_door', {}, 'there is no operation open_door'],
  ['toString', {}, 'there is no operation toString'],
]

describe('before any request', () => {
  it.each(refusals)('%s with %o is refused by name and value', async (operation, params, message) => {
    await expect(untyped(client, operation, params)).rejects.toMatchObject({
      name: 'CodedError',
      code: 'USAGE',
      message,
    })
    expect(silent.requests).toHaveLength(0)
  })

  it.each(operationNames)('%s is refused without any of its required parameters', async (name) => {
    const required = Object.entries(operations[name].parameters).filter(([, { required }]) => required === true)
    for (const [missing] of required) {
      const params = { ...sampleCalls[name].params, [missing]: undefined }
      await expect(untyped(client, name, params)).rejects.toMatchObject({
        code: 'USAGE',
        message: `${name}: the parameter ${missing} is missing`,
      })
    }
    expect(silent.requests).toHaveLength(0)
  })

  it('an endless value is cut in the message', async () => {
    const refused = untyped(client, 'get_group', { group_id: 'g1', extra: 'y'.repeat(10_000) })
    await expect(refused).rejects.toSatisfy((error) => error instanceof Error && error.message.length < 200)
  })
})

it('texts longer than the documented limits are left to the service, whose unit is not known', async () => {
  const transport = new ScriptedTransport(ok(records.clink))
  const content = '😀'.repeat(5_000)
  await new ClinkClient({ key: 'sk_live_u_1', transport }).sendClink({ group_id: 'g1', content })
  expect(transport.requests[0]?.body).toBe(JSON.stringify({ content }))
})

it('an empty text is left to the service', async () => {
  const transport = new ScriptedTransport(ok(records.clink))
  await new ClinkClient({ key: 'sk_live_u_1', transport }).sendClink({ group_id: 'g1', content: '' })
  expect(transport.requests[0]?.body).toBe('{"content":""}')
})
