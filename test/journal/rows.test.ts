import { describe, expect, it } from 'vitest'
import type { Clink } from '../../src/clink/records.ts'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { letter, open, openFile, type Health, recalled } from '../support/states.ts'

/** So deep that neither JSON nor a copy takes it. */
function nested(): unknown {
  let value: unknown = 'bottom'
  for (let n = 0; n < 100_000; n += 1) value = { value }
  return value
}

const cyclic: Record<string, unknown> = {}
cyclic['itself'] = cyclic

const throwing = {
  toJSON: () => {
    throw new Error('no')
  },
}

describe('P1, P10: a row that JSON does not take', () => {
  it.each([
    ['nested a hundred thousand times', nested()],
    ['that contains itself', cyclic],
    ['with a toJSON that throws', throwing],
    ['with a bigint', 7n],
  ])('%s is kept as far as it may be, and keeps no other from being written', async (_, extra) => {
    using directory = new TempDir()
    const health: Health[] = []
    const state = open(directory.path, health)
    const odd: Clink = Object.assign({ ...clink, clink_id: 'odd' }, { extra })
    await state.ledger.deadLetter({ ...letter, clink: odd })
    await state.ledger.begin({ letter: 'other' })
    expect(state.ledger.isHealthy).toBe(true)
    expect(state.ledger.letters.get('odd')?.clink.clink_id).toBe('odd')
    state.close()

    const next = open(directory.path)
    expect(next.ledger.letters.get('odd')).toMatchObject({ reason: letter.reason, clink: { content: clink.content } })
    expect(await next.ledger.begin({ letter: 'other' })).toBe(2)
    next.close()
    expect(health).toEqual([])
  })
})

describe('P1: a journal with much in it', () => {
  it('is opened without being read, and what is in it is found, also by its age', async () => {
    using directory = new TempDir()
    open(directory.path).close()
    const count = 200_000
    {
      using file = openFile(directory.path)
      const numbers = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})`
      file.exec(`${numbers} INSERT INTO own (id, row, at) SELECT 'msg_' || i, i, i FROM n`)
      const row = `json_object('count', 1, 'errors', json_array('it failed'), 'crashes', 0, 'at', i)`
      file.exec(`${numbers} INSERT INTO attempts (id, row, at) SELECT 'msg_' || i, ${row}, i FROM n`)
    }
    const before = process.memoryUsage().heapUsed
    const state = open(directory.path)
    const { ledger } = state
    const megabytes = (process.memoryUsage().heapUsed - before) / 1_048_576
    expect(megabytes).toBeLessThan(30)
    expect([
      (await recalled(ledger, 'msg_1')).isOwn,
      (await recalled(ledger, `msg_${count}`)).isOwn,
      (await recalled(ledger, 'msg_0')).isOwn,
    ]).toEqual([true, true, false])
    expect(await ledger.begin({ letter: `msg_${count}` })).toBe(2)

    // Seen of late, what is old is forgotten, a part at a time: all but what was just started.
    await Promise.all([
      ledger.process.note({ looked: String(Date.now() - 7_200_000) }),
      ledger.process.note({ 'looking since': '0' }),
      ledger.addOwn('msg_2', Date.now()),
    ])
    await ledger.sightings.looked([])
    await ledger.prune(1_000)
    expect([
      (await recalled(ledger, 'msg_1')).isOwn,
      (await recalled(ledger, 'msg_2')).isOwn,
      (await recalled(ledger, `msg_${count}`)).isOwn,
    ]).toEqual([false, true, true])
    expect([ledger.attemptsOf('msg_1').starts, ledger.attemptsOf(`msg_${count}`).starts]).toEqual([0, 2])
    state.close()
  })
})

describe('what was changed and is not written yet', () => {
  it('is read as it is now: by its id, by its age, and in lists', async () => {
    using directory = new TempDir()
    const state = open(directory.path)
    const { ledger } = state
    const { letters } = ledger
    const other = { ...letter, at: 2_000, clink: { ...clink, clink_id: 'other' } }
    const now = Date.now()
    await ledger.deadLetter(letter)
    await ledger.deadLetter(other)
    const writes = [
      letters.discard(clink.clink_id),
      ledger.cooling.set('cooling', 60_000),
      ledger.deadLetter({ ...other, at: 3_000 }),
      letters.remove('nobody'),
    ]
    expect(letters.all()).toEqual([{ ...other, at: 3_000 }])
    const cooled = (): readonly boolean[] =>
      [0, 600_000].map((from) => ledger.cooling.hasBetween(now + from, now + from + 600_000))
    expect(cooled()).toEqual([true, false])
    expect((await recalled(ledger, clink.clink_id)).isGivenUp).toBe(true)
    await Promise.all(writes)
    expect(letters.all()).toEqual([{ ...other, at: 3_000 }])
    expect(cooled()).toEqual([true, false])
    state.close()
  })
})
