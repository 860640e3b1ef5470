import { describe, expect, it } from 'vitest'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { ask, running, stillClock } from '../support/running-emulator.ts'

async function claimed(emulator: Emulator, seconds = 30): Promise<string> {
  const { clink_id } = emulator.send('ops', 'work')
  await ask(emulator, `POST /clinks/${clink_id}/claim`, { timeout_seconds: seconds })
  return clink_id
}

describe('a claim', () => {
  it('lasts as long as was asked for, and 300 s otherwise', async () => {
    const emulator = await running({ clock: stillClock() })
    const { clink_id } = emulator.send('ops', 'work')
    const asked = await ask(emulator, `POST /clinks/${clink_id}/claim`, { timeout_seconds: 30 })
    expect(asked.data).toMatchObject({ status: 'claimed', claim_expires_at: '2026-03-01T12:00:30.000Z' })
    const other = emulator.send('ops', 'work')
    const usual = await ask(emulator, `POST /clinks/${other.clink_id}/claim`, {})
    expect(usual.data.claim_expires_at).toBe('2026-03-01T12:05:00.000Z')
  })

  it('is refused to everybody else while it stands, siblings included', async () => {
    const emulator = await running()
    const id = await claimed(emulator)
    for (const asking of [{ session: 'two' }, { as: 'helper' }, { as: 'alice' }]) {
      expect((await ask(emulator, `POST /clinks/${id}/claim`, {}, asking)).status).toBe(409)
      expect((await ask(emulator, `POST /clinks/${id}/complete`, {}, asking)).status).toBe(403)
      expect((await ask(emulator, `POST /clinks/${id}/release`, {}, asking)).status).toBe(403)
    }
  })

  it('runs out to the millisecond, and anybody may have the clink then', async () => {
    const clock = stillClock()
    const emulator = await running({ clock })
    const id = await claimed(emulator)
    clock.move(29_999)
    expect((await ask(emulator, `POST /clinks/${id}/claim`, {}, { as: 'helper' })).status).toBe(409)
    clock.move(1)
    expect(emulator.clink(id)).toMatchObject({ status: 'pending', claim: undefined, lapsed: { session: 'one' } })
    const taken = await ask(emulator, `POST /clinks/${id}/claim`, {}, { as: 'helper' })
    expect(taken.data.claimed_by).toBe('ap_helper')
    expect(emulator.history(id).map(({ what, at }) => [what, at - Date.parse('2026-03-01T12:00:00Z')])).toEqual([
      ['created', 0],
      ['claimed', 0],
      ['expired', 30_000],
      ['claimed', 30_000],
    ])
  })

  it('stands by its renewal and not by its first end', async () => {
    const clock = stillClock()
    const emulator = await running({ clock })
    const id = await claimed(emulator)
    clock.move(20_000)
    await ask(emulator, `POST /clinks/${id}/claim`, { timeout_seconds: 30 })
    clock.move(29_999)
    expect(emulator.clink(id)?.status).toBe('claimed')
    clock.move(1)
    expect(emulator.clink(id)?.status).toBe('pending')
  })

  it('can be shortened by its holder', async () => {
    const clock = stillClock()
    const emulator = await running({ clock })
    const id = await claimed(emulator, 300)
    await ask(emulator, `POST /clinks/${id}/claim`, { timeout_seconds: 10 })
    clock.move(10_000)
    expect(emulator.clink(id)?.status).toBe('pending')
  })

  it('is given back by a release', async () => {
    const emulator = await running()
    const id = await claimed(emulator)
    const { status, data } = await ask(emulator, `POST /clinks/${id}/release`, {})
    expect(status).toBe(200)
    expect(data).toMatchObject({ status: 'pending' })
    expect(data).not.toHaveProperty('claimed_by')
    expect(data).not.toHaveProperty('claim_expires_at')
  })

  it.each([
    ['claim', 404],
    ['release', 404],
    ['complete', 404],
  ])('%s answers 404 for what does not exist', async (what, status) => {
    const emulator = await running()
    expect((await ask(emulator, `POST /clinks/msg_none/${what}`, {})).status).toBe(status)
  })

  it('is not possible in a group that the key does not see', async () => {
    const emulator = await running()
    const { clink_id } = emulator.send('support', 'elsewhere')
    for (const what of ['claim', 'release', 'complete']) {
      expect((await ask(emulator, `POST /clinks/${clink_id}/${what}`, {})).status).toBe(403)
    }
  })

  it.each([0, -5, 1.5, '30'])('refuses a timeout of %j', async (seconds) => {
    const emulator = await running()
    const { clink_id } = emulator.send('ops', 'work')
    const { status, json } = await ask(emulator, `POST /clinks/${clink_id}/claim`, { timeout_seconds: seconds })
    expect(status).toBe(400)
    expect(json.message).toContain('"timeout_seconds"')
  })
})

describe('a completion', () => {
  it('needs a claim of one’s own', async () => {
    const emulator = await running()
    const { clink_id } = emulator.send('ops', 'work')
    expect((await ask(emulator, `POST /clinks/${clink_id}/complete`, {})).status).toBe(409)
    await ask(emulator, `POST /clinks/${clink_id}/claim`, {})
    const { status, data } = await ask(emulator, `POST /clinks/${clink_id}/complete`, {})
    expect(status).toBe(200)
    expect(data.clink).toMatchObject({ status: 'completed', completed_by: 'ap_worker' })
    expect(data).not.toHaveProperty('response_clink_id')
    expect((await ask(emulator, `POST /clinks/${clink_id}/claim`, {})).status).toBe(409)
    expect((await ask(emulator, `POST /clinks/${clink_id}/release`, {})).status).toBe(409)
  })

  it('sends its response to the sender, in the same group', async () => {
    const emulator = await running()
    const id = await claimed(emulator)
    const { data } = await ask(emulator, `POST /clinks/${id}/complete`, { response: 'Done.' })
    expect(emulator.clink(data.response_clink_id)).toMatchObject({
      content: 'Done.',
      for: 'user_alice',
      sender_id: 'ap_worker',
      status: 'pending',
      answers: id,
      group_id: emulator.clink(id)?.group_id,
    })
    const inbox = await ask(emulator, 'GET /inbox', undefined, { as: 'alice' })
    expect(inbox.data.clinks[0]).toMatchObject({ clink_id: data.response_clink_id, for: 'user_alice' })
  })

  it('takes an empty response for none', async () => {
    const emulator = await running()
    const id = await claimed(emulator)
    expect((await ask(emulator, `POST /clinks/${id}/complete`, { response: '' })).data).not.toHaveProperty(
      'response_clink_id',
    )
    expect(emulator.clinks()).toHaveLength(1)
  })

  it('is refused whole when the response is too long', async () => {
    const emulator = await running()
    const id = await claimed(emulator)
    expect((await ask(emulator, `POST /clinks/${id}/complete`, { response: 'x'.repeat(4_097) })).status).toBe(400)
    expect(emulator.clink(id)?.status).toBe('claimed')
  })
})
