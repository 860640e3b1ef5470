import { describe, expect, it } from 'vitest'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { open, openFile, refusal, type Health } from '../support/states.ts'

const other = (id: string) => ({ ...clink, clink_id: id })

describe('while the journal cannot write', () => {
  it('its writers go on, it says why once, and it writes everything by itself afterwards', async () => {
    using directory = new TempDir()
    const health: Health[] = []
    const state = open(directory.path, health)
    const { ledger } = state
    await ledger.process.note({ replaced: 'early' })
    await ledger.process.hold({ clink, route: 'r', running: true, releasing: false, boot: 'b', sent: 0, end: 1 })
    using blocker = openFile(directory.path)
    blocker.exec('BEGIN IMMEDIATE')

    await ledger.process.note({ first: 'v' })
    expect(ledger.isHealthy).toBe(false)
    await ledger.process.note({ replaced: 'late' })
    await ledger.process.drop(clink.clink_id)
    expect(await ledger.begin({ letter: 'a' })).toBe(1)
    expect(await ledger.begin({ letter: 'a' })).toBe(2)
    expect([ledger.process.fact('first'), ledger.process.fact('replaced')]).toEqual(['v', 'late'])
    expect(health).toEqual([expect.stringMatching(/locked/)])
    expect(blocker.prepare("SELECT row FROM facts WHERE id = 'replaced'").get()).toEqual({ row: '"early"' })

    blocker.exec('ROLLBACK')
    await until(() => ledger.isHealthy, 'the journal writes again')
    expect(health).toEqual([expect.any(String), undefined])
    expect(blocker.prepare("SELECT row FROM facts WHERE id = 'replaced'").get()).toEqual({ row: '"late"' })
    await ledger.process.note({ later: 'v' })
    state.close()

    const next = open(directory.path)
    expect(['first', 'replaced', 'later'].map((name) => next.ledger.process.fact(name))).toEqual(['v', 'late', 'v'])
    expect(next.ledger.process.claims()).toEqual([])
    expect(await next.ledger.begin({ letter: 'a' })).toBe(3)
    next.close()
  })

  it('it can be closed in the turn in which its log is to be carried over', async () => {
    const faults: unknown[] = []
    const heard = (fault: unknown): void => void faults.push(fault)
    process.on('uncaughtException', heard)
    // That is after 250 commits, of which some are the start's own.
    for (let commits = 244; commits <= 250; commits += 1) {
      using directory = new TempDir()
      const state = open(directory.path)
      for (let n = 0; n < commits; n += 1) await state.ledger.process.note({ a: String(n) })
      state.close()
    }
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    process.off('uncaughtException', heard)
    expect(faults).toEqual([])
  })

  it('it can be closed: what was written stays, and the directory is free', async () => {
    using directory = new TempDir()
    const state = open(directory.path)
    await state.ledger.process.note({ written: 'v' })
    {
      using blocker = openFile(directory.path)
      blocker.exec('BEGIN IMMEDIATE')
      await state.ledger.process.note({ unwritten: 'v' })
      state.close()
    }
    const next = open(directory.path)
    expect([next.ledger.process.fact('written'), next.ledger.process.fact('unwritten')]).toEqual(['v', undefined])
    next.close()
  })
})

/** So many results of the largest size are more than a small disk's files have room for without growing. */
const ENOUGH = 60

describe('on a full disk', () => {
  it('it stays recovered on a small one: its log never takes the room that carrying it over needs', async (context) => {
    using disk = new SmallDisk(context)
    const health: Health[] = []
    const state = open(disk.state, health)
    const { ledger } = state
    const work = async (name: string): Promise<void> => {
      for (let n = 0; n < 400; n += 1) {
        await ledger.keepResult(other(`${name}${n}`), 'x'.repeat(4_096))
        if (ledger.isHealthy) await ledger.settled({ ...clink, clink_id: `${name}${n}` })
      }
    }
    await work('before')
    expect(health).toEqual([])
    disk.fill()
    for (let n = 0; n < ENOUGH && ledger.isHealthy; n += 1) {
      await ledger.keepResult(other(`r${n}`), 'x'.repeat(4_096))
    }
    expect(health).toEqual([expect.stringMatching(/full.* 512 KiB in all; a state directory needs 4 MiB/)])

    disk.free()
    await until(() => ledger.isHealthy, 'the journal writes again')
    await work('after')
    expect(health).toHaveLength(2)
    state.close()
    const next = open(disk.state)
    expect(next.ledger.keptResult(other('r5'))?.response).toHaveLength(4_096)
    next.close()
  })

  it('writers go on, the reason is said, and once there is space everything is written without a restart', async (context) => {
    using disk = new SmallDisk(context)
    const health: Health[] = []
    const state = open(disk.state, health)
    const { ledger } = state
    await ledger.keepResult(other('before'), 'before')
    disk.fill()
    const answer = 'x'.repeat(4_096)
    const ids = Array.from({ length: ENOUGH }, (_, n) => `r${n}`)
    for (const id of ids) await ledger.keepResult(other(id), answer)
    await ledger.settled({ ...clink, clink_id: 'before' })
    expect(ledger.isHealthy).toBe(false)
    expect(health).toEqual([expect.stringMatching(/the disk is full: free some space/)])
    expect(ids.filter((id) => ledger.keptResult(other(id))?.response !== answer)).toEqual([])

    disk.free()
    await until(() => ledger.isHealthy, 'the journal writes again')
    expect(health).toEqual([expect.any(String), undefined])
    state.close()
    const next = open(disk.state)
    expect(ids.filter((id) => next.ledger.keptResult(other(id))?.response !== answer)).toEqual([])
    expect(next.ledger.keptResult(other('before'))).toBeUndefined()
    next.close()
  })

  it('a close loses nothing that was written, and the next start there says what is wrong', async (context) => {
    using disk = new SmallDisk(context)
    const state = open(disk.state)
    await state.ledger.keepResult(other('before'), 'before')
    disk.fill()
    for (let n = 0; n < ENOUGH; n += 1) await state.ledger.keepResult(other(`r${n}`), 'x'.repeat(4_096))
    expect(state.ledger.isHealthy).toBe(false)
    state.close()
    disk.fill()
    expect(refusal(disk.state)).toMatchObject({
      code: 'STATE_UNAVAILABLE',
      message: expect.stringMatching(/full: free/),
    })
    disk.free()
    const next = open(disk.state)
    expect(next.ledger.keptResult(other('before'))?.response).toBe('before')
    next.close()
  })
})
