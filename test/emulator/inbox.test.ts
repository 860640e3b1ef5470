import { describe, expect, it } from 'vitest'
import { ask, OPS, running, stillClock } from '../support/running-emulator.ts'

const texts = (answer: { data: { clinks: { content: string }[] } }): string[] =>
  answer.data.clinks.map(({ content }) => content)

describe('the inbox', () => {
  it('shows what is pending for me and for nobody, in the groups that the key sees', async () => {
    const emulator = await running()
    emulator.send('ops', 'for nobody')
    emulator.send('ops', 'for me', { for: 'worker' })
    emulator.send('ops', 'for helper', { for: 'helper' })
    emulator.send('support', 'elsewhere')
    expect(texts(await ask(emulator, 'GET /inbox'))).toEqual(['for nobody', 'for me'])
    expect(texts(await ask(emulator, 'GET /inbox?for_me=true'))).toEqual(['for nobody', 'for me'])
    expect(texts(await ask(emulator, 'GET /inbox?for_me=false'))).toEqual(['for nobody', 'for me', 'for helper'])
    expect(texts(await ask(emulator, 'GET /inbox', undefined, { as: 'robot' }))).toEqual(['for nobody', 'elsewhere'])
  })

  it('gives ten where no limit is asked for, and says how many it gave', async () => {
    const emulator = await running()
    for (let n = 0; n < 12; n += 1) emulator.send('ops', `n${n}`)
    const answer = await ask(emulator, 'GET /inbox')
    expect(answer.data.count).toBe(10)
    expect(answer.data.clinks).toHaveLength(10)
    expect(answer.data).not.toHaveProperty('claimed_count')
    expect((await ask(emulator, 'GET /inbox?limit=12')).data.count).toBe(12)
  })

  it('claims what it returns when asked to, and only that', async () => {
    const clock = stillClock()
    const emulator = await running({ clock })
    for (const text of ['a', 'b', 'c']) emulator.send('ops', text)
    const { data } = await ask(emulator, 'GET /inbox?claim=true&limit=2', undefined, { session: 's' })
    expect(data).toMatchObject({ count: 2, claimed_count: 2 })
    expect(data.clinks[0]).toMatchObject({
      status: 'claimed',
      claimed_by: 'ap_worker',
      claimed_at: '2026-03-01T12:00:00.000Z',
      claim_expires_at: '2026-03-01T12:05:00.000Z',
    })
    expect(emulator.clinks().map(({ status }) => status)).toEqual(['claimed', 'claimed', 'pending'])
    expect(emulator.clinks()[0]?.claim).toMatchObject({ by: 'ap_worker', key: 'worker', session: 's' })
    expect(texts(await ask(emulator, 'GET /inbox?claim=true'))).toEqual(['c'])
    expect((await ask(emulator, 'GET /inbox?claim=true')).data).toEqual({ clinks: [], count: 0, claimed_count: 0 })
  })

  it('lists what is claimed and completed without claiming it', async () => {
    const emulator = await running()
    const { clink_id } = emulator.send('ops', 'a')
    await ask(emulator, `POST /clinks/${clink_id}/claim`, {})
    expect((await ask(emulator, 'GET /inbox?status=claimed&claim=true')).data).toMatchObject({
      count: 1,
      claimed_count: 0,
    })
    await ask(emulator, `POST /clinks/${clink_id}/complete`, {})
    expect(texts(await ask(emulator, 'GET /inbox?status=completed'))).toEqual(['a'])
    expect(emulator.history(clink_id)).toHaveLength(3)
  })

  it('needs the permission to write for claiming', async () => {
    const emulator = await running()
    emulator.send('ops', 'a')
    expect((await ask(emulator, 'GET /inbox', undefined, { as: 'readonly' })).status).toBe(200)
    expect((await ask(emulator, 'GET /inbox?claim=true', undefined, { as: 'readonly' })).status).toBe(403)
    expect(emulator.clinks()[0]?.status).toBe('pending')
  })

  it('finds what comes back between others in the right place', async () => {
    const clock = stillClock()
    const emulator = await running({ clock })
    const sent = ['a', 'b', 'c'].map((text) => {
      clock.move(10)
      return emulator.send('ops', text)
    })
    const id = sent[1]?.clink_id
    await ask(emulator, `POST /clinks/${id}/claim`, {})
    expect(texts(await ask(emulator, 'GET /inbox'))).toEqual(['a', 'c'])
    await ask(emulator, `POST /clinks/${id}/release`, {})
    expect(texts(await ask(emulator, 'GET /inbox'))).toEqual(['a', 'b', 'c'])
  })

  it('shows clinks of a group only while the key sees it', async () => {
    const emulator = await running()
    emulator.send('ops', 'a')
    emulator.leave('ops', 'worker')
    expect((await ask(emulator, 'GET /inbox')).data.count).toBe(0)
    expect((await ask(emulator, `GET /groups/${OPS}`)).status).toBe(403)
  })
})
