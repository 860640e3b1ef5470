import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { clink } from '../support/sample-records.ts'
import { claim } from '../support/states.ts'
import { thrownBy } from '../support/thrown.ts'
import { asText, JournalBench } from './journal-bench.ts'

let bench: JournalBench

beforeEach(() => {
  bench = new JournalBench()
})

afterEach(() => bench[Symbol.dispose]())

const isOpen = async (promise: Promise<void>): Promise<boolean> =>
  await Promise.race([promise.then(() => false), new Promise<boolean>((done) => setImmediate(done, true))])

describe('changes', () => {
  it('of one turn are one commit, for which all of them wait, in whatever table', async () => {
    const { due, facts, journal, told } = bench
    const first = facts.set('a', '1')
    const others = [
      facts.set('b', '2'),
      journal.table('late', {}, asText).set('c', '3'),
      journal.inHand(() => undefined).set('d', { claim }),
    ]
    expect(others.map((other) => other === first)).toEqual([true, true, true])
    const step = journal.steps().set('e', { is: 'step', name: 'plan', content: 'f', value: '1', at: 1 })
    expect(due.map(({ wait }) => wait)).toEqual([0])
    expect([await isOpen(first), await isOpen(step), bench.written()]).toEqual([true, true, {}])
    bench.turn()
    await Promise.all([first, step])
    expect(bench.written()).toEqual({ a: '"1"', b: '"2"' })
    const next = facts.set('a', '4')
    expect(next).not.toBe(first)
    bench.turn()
    await next
    expect(bench.written()).toMatchObject({ a: '"4"' })
    expect(told).toEqual([])
  })

  it('are found by the next process, claims in hand and steps among them', async () => {
    void bench.journal.inHand(() => undefined).set(clink.clink_id, { claim })
    void bench.journal.steps().set('e', { is: 'step', name: 'plan', content: 'f', value: '1', at: 1 })
    bench.reopen()
    expect(bench.journal.inHand((row) => Object(row)).get(clink.clink_id)).toEqual({ claim })
    expect((await bench.journal.steps().of('e')).map(({ name }) => name)).toEqual(['plan'])
  })

  it('that are written are not written again: what somebody has changed in the file since then stays', () => {
    void bench.facts.set('a', '1')
    bench.turn()
    bench.change(`UPDATE facts SET row = '"by hand"' WHERE id = 'a'`)
    void bench.facts.set('b', '2')
    bench.turn()
    expect(bench.written()).toEqual({ a: '"by hand"', b: '"2"' })
  })

  it('of a turn that ends with the journal are written by its close, and later ones are nobody’s any more', async () => {
    const left = bench.facts.set('a', '1')
    bench.close()
    expect(bench.written()).toEqual({ a: '"1"' })
    const later = bench.facts.set('b', '2')
    bench.turn()
    await Promise.all([left, later])
    expect([bench.written(), bench.told]).toEqual([{ a: '"1"' }, []])
  })
})

describe('a file', () => {
  const refused = (content: Buffer): unknown => {
    writeFileSync(bench.file, content)
    return thrownBy(() => bench.opened().close())
  }
  /** Half of it is gone. */
  const spoiled = (): Buffer => {
    bench.close()
    const whole = readFileSync(bench.file)
    return whole.fill(0x5a, whole.length / 2)
  }

  it('that is damaged is refused with advice, and stays as it is', () => {
    const advice =
      /is damaged\. Move it away to start with an empty one \(attempts, dead letters and unsent results in it are then lost\), or restore a copy$/
    for (const content of [spoiled(), Buffer.from('no journal '.repeat(1_000))]) {
      expect(refused(content)).toMatchObject({
        code: 'STATE_UNUSABLE',
        message: expect.stringMatching(advice),
        cause: expect.any(Error),
      })
      expect(readFileSync(bench.file)).toEqual(content)
    }
  })

  it('of more than 256 MiB is not looked through at the start, which would take minutes', () => {
    writeFileSync(bench.file, spoiled())
    truncateSync(bench.file, 268_435_456)
    expect(thrownBy(() => bench.opened())).toMatchObject({ message: expect.stringContaining('is damaged') })
    truncateSync(bench.file, 268_435_457)
    bench.opened().close()
  })

  it('that has no such table is refused', () => {
    expect(thrownBy(() => bench.journal.table('other', {}, asText))).toMatchObject({
      code: 'STATE_UNUSABLE',
      message: `the journal ${bench.file} cannot be opened: no such table: other`,
    })
  })

  it('of a later version is refused as such', () => {
    bench.change('PRAGMA user_version = 9999')
    expect(thrownBy(() => bench.reopen())).toMatchObject({
      message: expect.stringContaining('was written by a newer clink-worker'),
    })
  })

  it('that is none, or can be none, is refused by its name', () => {
    const directory = join(bench.directory, 'other')
    const missing = thrownBy(() => bench.opened({ directory }))
    expect(missing).toMatchObject({
      code: 'STATE_UNUSABLE',
      message: expect.stringMatching(/other\/journal\.db .*ENOENT/),
    })
    mkdirSync(join(directory, 'journal.db'), { recursive: true })
    expect(thrownBy(() => bench.opened({ directory }))).toMatchObject({
      code: 'STATE_UNUSABLE',
      message: expect.stringContaining('unable to open'),
    })
    rmdirSync(join(directory, 'journal.db'))
  })
})

describe('what is kept is for its owner alone (P13)', () => {
  const modes = (): number[] => ['', '-wal', '-shm'].map((end) => statSync(`${bench.file}${end}`).mode & 0o777)

  it('in a new journal and what is beside it', () => {
    void bench.facts.set('a', '1')
    bench.turn()
    expect(modes()).toEqual([0o600, 0o600, 0o600])
  })

  it('and in one that was killed and left open to others', () => {
    void bench.facts.set('a', '1')
    bench.turn()
    const files = ['', '-wal', '-shm'].map((end) => `${bench.file}${end}`)
    for (const file of files) copyFileSync(file, `${file}.left`)
    bench.close()
    for (const file of files) copyFileSync(`${file}.left`, file)
    for (const file of files) chmodSync(file, 0o666)
    bench.reopen()
    expect([modes(), bench.facts.get('a')]).toEqual([[0o600, 0o600, 0o600], '1'])
  })
})
