import { describe, expect, it } from 'vitest'
import { PASSED_OVER, SeatLine } from '../../../src/worker/capacity/seat-line.ts'
import { Chance } from '../../simulation/chance.ts'
import { VirtualTime } from '../../simulation/virtual-time.ts'

/** Work that goes on until it is ended by its name. */
class Works {
  readonly time = new VirtualTime(new Chance(1))
  readonly line: SeatLine
  readonly started: string[] = []
  readonly #ends = new Map<string, () => void>()
  readonly #leave = new Map<string, () => void>()

  constructor(seats: number) {
    const now = (): number => this.time.now
    this.line = new SeatLine({ now, wall: now, at: (at, run) => this.time.at(Math.max(at, now()), run) })
    this.line.fit(seats)
  }

  begin(name: string, weight = 1, priority = 0): void {
    const work = async (): Promise<void> => {
      this.started.push(name)
      await new Promise<void>((resolve) => this.#ends.set(name, resolve))
    }
    const interrupted = new Promise<void>((resolve) => this.#leave.set(name, resolve))
    void this.line.run(work, { priority, weight, interrupted })
  }

  async end(...names: readonly string[]): Promise<void> {
    for (const name of names) this.#ends.get(name)?.()
    await this.time.runUntil(this.time.now, () => false)
  }

  /** They want no seat any more. */
  async leave(...names: readonly string[]): Promise<void> {
    for (const name of names) this.#leave.get(name)?.()
    await this.time.runUntil(this.time.now, () => false)
  }

  async pass(ms: number): Promise<void> {
    this.time.at(this.time.now, () => {})
    await this.time.runUntil(this.time.now + ms, () => false)
  }
}

describe('what takes several seats (§4)', () => {
  it('is passed by what fits for 30 s, and then nothing starts before it', async () => {
    const works = new Works(3)
    works.begin('first')
    works.begin('heavy', 3)
    works.begin('second')
    await works.pass(PASSED_OVER - 1)
    works.begin('third', 1, 1)
    await works.pass(1)
    await works.end('first', 'second')
    works.begin('fourth', 1, 1)
    expect(works.started).toEqual(['first', 'second', 'third'])
    await works.end('third')
    expect(works.started).toEqual(['first', 'second', 'third', 'heavy'])
    await works.end('heavy')
    expect(works.started.at(-1)).toBe('fourth')
  })

  it('takes all seats where there are fewer, and what has more keeps them', async () => {
    const works = new Works(4)
    works.begin('heavy', 4)
    works.line.fit(2)
    works.begin('next', 4)
    works.begin('light')
    expect(works.started).toEqual(['heavy'])
    await works.end('heavy')
    expect(works.started).toEqual(['heavy', 'next'])
    await works.end('next')
    expect(works.started).toEqual(['heavy', 'next', 'light'])
  })

  it('takes as many as it weighs once there are so many, also of those that are added while it runs', async () => {
    const works = new Works(1)
    works.begin('heavy', 2)
    works.line.fit(3)
    works.begin('next', 2)
    works.begin('light')
    expect(works.started).toEqual(['heavy', 'light'])
    await works.end('heavy')
    expect(works.started).toEqual(['heavy', 'light', 'next'])
  })

  it('keeps no seats once it wants none any more, and goes on with those that it has', async () => {
    const works = new Works(3)
    works.begin('first', 2)
    works.begin('heavy', 3)
    await works.pass(PASSED_OVER)
    works.begin('light')
    expect(works.started).toEqual(['first'])
    await works.leave('heavy', 'first')
    expect(works.started).toEqual(['first', 'light'])
    works.begin('next')
    expect(works.started).toEqual(['first', 'light'])
    await works.end('first')
    expect(works.started).toEqual(['first', 'light', 'next'])
  })

  it('leaves no seat free while seats are kept for it: the worker is stuck where all that have seats are (P13)', async () => {
    const works = new Works(3)
    works.begin('stuck')
    works.begin('heavy', 3)
    expect(works.line.isFull).toBe(false)
    await works.pass(PASSED_OVER)
    expect({ isFull: works.line.isFull, holders: works.line.holders }).toEqual({ isFull: true, holders: 1 })
  })

  it('does not keep seats from a suspect, which runs with nothing beside it', async () => {
    const works = new Works(3)
    works.begin('first')
    works.begin('heavy', 3)
    await works.pass(PASSED_OVER)
    works.line.narrow(1)
    works.begin('suspect', 1, 2)
    expect(works.started).toEqual(['first'])
    await works.end('first')
    expect(works.started).toEqual(['first', 'suspect'])
    works.line.narrow(-1)
    expect(works.started).toEqual(['first', 'suspect'])
    await works.end('suspect')
    expect(works.started).toEqual(['first', 'suspect', 'heavy'])
  })

  it('a suspect has as many as it weighs: what does not fit beside it waits, and nothing passes the next suspect', async () => {
    const works = new Works(5)
    works.line.narrow(2)
    works.begin('suspect', 4, 2)
    works.begin('other suspect', 4, 2)
    works.begin('heavy', 4)
    works.begin('light')
    expect(works.started).toEqual(['suspect'])
    works.line.outlast(1)
    works.line.narrow(-1)
    expect(works.started).toEqual(['suspect'])
    await works.end('suspect')
    works.line.outlast(-1)
    expect(works.started).toEqual(['suspect', 'other suspect'])
    works.line.outlast(1)
    works.line.narrow(-1)
    expect(works.started).toEqual(['suspect', 'other suspect', 'light'])
  })
})
