import { describe, expect, it } from 'vitest'
import { clink, knownClink } from '../../src/clink/schemas.ts'

const whole = {
  clink_id: 'msg_1',
  group_id: 'g',
  sender_id: 'user_1',
  sender_name: 'Alice',
  content: 'hello',
  created_at: '2026-01-01T00:00:00Z',
  status: 'pending',
  group_name: 'ops',
  group_slug: 'ops',
  claimed_by: null,
  claimed_at: undefined,
  for: 'ap_1',
  priority: { level: 3 },
}
const values = [undefined, null, '', '.', '..', 'a', ' ', 5, 2 ** 60, true, {}, [], '\uD800']

/** A number in a field that says nothing here: now a schema has to be asked. */
const bySchema = (record: object): object => ({ ...record, completed_at: 5 })

describe.each([
  ['one that is listed', clink],
  ['one that is known', knownClink],
])('§0: a clink, as %s,', (_, schema) => {
  it.each(Object.keys(whole))('is read as its schema reads it, whatever its %s is', (field) => {
    for (const value of values) {
      const record = { ...whole, [field]: value }
      const { data, success } = schema.safeParse(record)
      const asked = schema.safeParse(bySchema(record))
      expect({ success, data }, JSON.stringify(value)).toEqual({
        success: asked.success,
        data: asked.data === undefined ? undefined : { ...asked.data, completed_at: undefined },
      })
    }
  })

  it('that is in order is taken as it is', () => {
    expect(schema.safeParse(whole).data).toBe(whole)
  })
})
