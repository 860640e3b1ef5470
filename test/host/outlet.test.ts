import { expect, test } from 'vitest'
import { Outlet } from '../../src/host/outlet.ts'

const MIB = 1_048_576

/** Somebody who takes only so many bytes at a time, or nothing for a reason. */
class Reader {
  read = ''
  room = 0
  problem: string | undefined
  readonly told: string[] = []
  readonly outlet = new Outlet({
    put: (bytes) => {
      if (this.problem !== undefined) throw Object.assign(new Error(this.problem), { code: this.problem })
      if (this.room === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' })
      const taken = Math.min(this.room, bytes.length)
      this.read += Buffer.from(bytes.subarray(0, taken)).toString()
      this.room -= taken
      return taken
    },
    isClosedBy: (error) => error instanceof Error && error.message === 'EPIPE',
    facts: {
      closed: () => this.told.push('closed'),
      failed: (problem) => this.told.push(problem),
      resumed: (dropped) => {
        this.told.push(`resumed ${dropped}`)
        this.write(`[${dropped} dropped]\n`)
      },
    },
  })

  write(text: string): boolean {
    return this.outlet.write(Buffer.from(text))
  }

  /** Takes so much more. */
  take(bytes: number): void {
    this.room = bytes
    this.outlet.flush()
  }
}

test('what is written goes out at once, whole and in order, however little is taken at a time', () => {
  const reader = new Reader()
  reader.room = 10
  reader.write('first line\n')
  expect(reader.read).toBe('first line')
  for (const word of ['a', 'b', 'c']) reader.write(`${word}\n`)
  for (let n = 0; n < 20; n += 1) reader.take(1)
  expect(reader.read).toBe('first line\na\nb\nc\n')
  expect(reader.told).toEqual([])
})

test('pieces that may wait go out as one at the end of their turn, or with the first that may not', async () => {
  const reader = new Reader()
  const puts: string[] = []
  const together = (text: string): void => reader.outlet.together(() => reader.write(text))
  const turn = async (): Promise<void> => {
    reader.read = ''
    reader.room = MIB
    together('a\n')
    together('b\n')
    puts.push(reader.read)
    await new Promise(setImmediate)
    puts.push(reader.read)
  }
  await turn()
  expect(puts).toEqual(['', 'a\nb\n'])
  together('c\n')
  reader.write('d\n')
  expect(reader.read).toBe('a\nb\nc\nd\n')
  together('e\n')
  reader.outlet.flush()
  expect(reader.read).toBe('a\nb\nc\nd\ne\n')
  together('x'.repeat(20_000))
  expect(reader.read).toHaveLength(20_010)
})

test('a reader that stands still costs lines and never time: what is dropped is counted, and said at its place', () => {
  const reader = new Reader()
  const line = `${'x'.repeat(MIB - 1)}\n`
  for (let n = 0; n < 8; n += 1) reader.write(line)
  reader.write('too much\n')
  for (let n = 0; n < 4; n += 1) reader.write('dropped as well: one gap, not many\n')
  expect(reader.outlet.behind).toEqual({ waiting: 8 * MIB, dropped: 5 })
  reader.take(MIB)
  reader.write('still in the gap\n')
  reader.take(MIB)
  reader.write('after it\n')
  reader.take(100 * MIB)
  expect(reader.read.replaceAll(line, '-')).toBe('--------[6 dropped]\nafter it\n')
  expect(reader.told).toEqual(['resumed 6'])
})

test('a full disk is said once and waited for, in the middle of a line as well', () => {
  const reader = new Reader()
  reader.room = 3
  reader.problem = undefined
  reader.write('first\n')
  reader.problem = 'ENOSPC'
  for (let n = 0; n < 3; n += 1) reader.outlet.flush()
  reader.write('second\n')
  expect(reader.told).toEqual(['ENOSPC'])
  reader.problem = undefined
  reader.take(MIB)
  expect(reader.told).toEqual(['ENOSPC', 'resumed 0'])
  expect(reader.read).toBe('first\nsecond\n[0 dropped]\n')
})

test('without a reader all is dropped, and that is said once', () => {
  const reader = new Reader()
  reader.problem = 'EPIPE'
  for (let n = 0; n < 3; n += 1) expect(reader.write('x\n')).toBe(true)
  expect(reader.told).toEqual(['closed'])
  expect(reader.outlet.behind).toEqual({ waiting: 0, dropped: 0 })
})

test('whoever writes faster than is read is asked to wait, and told when it may go on', () => {
  const reader = new Reader()
  let drained = 0
  reader.outlet.onDrained(() => void (drained += 1))
  expect(reader.write('x'.repeat(20_000))).toBe(false)
  reader.take(10_000)
  expect(drained).toBe(0)
  reader.take(10_000)
  expect(drained).toBe(1)
  reader.room = 1
  expect(reader.write('x')).toBe(true)
  expect(drained).toBe(1)
})

test('the end waits for a reader that takes something, and not for one that takes nothing', async () => {
  const reader = new Reader()
  reader.write('x'.repeat(100))
  const timer = setInterval(() => reader.take(20), 20)
  await reader.outlet.finish(200)
  clearInterval(timer)
  expect(reader.read).toHaveLength(100)
  reader.room = 0
  reader.write('y')
  await reader.outlet.finish(50)
  expect(reader.outlet.behind.waiting).toBe(1)
})
