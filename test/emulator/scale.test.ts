import { describe, expect, it } from 'vitest'
import { ClinkStore, type Selection } from '../../src/emulator/store/clink-store.ts'
import { byPlace, Shelf, type Place } from '../../src/emulator/store/shelf.ts'
import { Heap } from '../../src/emulator/store/heap.ts'
import { mulberry } from '../../src/emulator/mulberry.ts'
import { ask, running } from '../support/running-emulator.ts'

function filled(count: number): ClinkStore {
  const store = new ClinkStore()
  for (let n = 0; n < count; n += 1) {
    const base = { group_id: 'g', sender_id: 's', sender_name: 's', content: 'x', status: 'pending' } as const
    store.add(
      { ...base, clink_id: `c${n}`, created: n, for: n % 3 === 0 ? 'me' : n % 3 === 1 ? 'other' : undefined },
      { at: n, what: 'created' },
    )
  }
  return store
}

const mine: Selection = {
  groups: ['g'],
  statuses: ['pending'],
  recipients: ['me', undefined],
  from: -Infinity,
  order: 'oldest',
  random: Math.random,
}

function page(store: ClinkStore, selection: Selection, limit: number): number {
  const before = store.visits
  let taken = 0
  for (const clink of store.select(selection)) {
    expect(clink.for).not.toBe('other')
    taken += 1
    if (taken === limit) break
  }
  return store.visits - before
}

describe('10,000 pending clinks', () => {
  it.each(['oldest', 'newest', 'random'] as const)('cost a page of ten (%s) no more looks than 30 do', (order) => {
    const selection = { ...mine, order }
    expect(page(filled(30), selection, 10)).toBe(10)
    expect(page(filled(10_000), selection, 10)).toBe(10)
  })

  it('are not walked through to come to a time', () => {
    expect(page(filled(10_000), { ...mine, from: 9_000 }, 10)).toBe(10)
  })

  it('come whole, page by page, through claims', async () => {
    const emulator = await running()
    for (let n = 0; n < 10_000; n += 1) emulator.send('ops', `n${n}`)
    const seen = new Set<string>()
    for (let n = 0; n < 100; n += 1) {
      const { data } = await ask(emulator, 'GET /inbox?claim=true&limit=100')
      for (const { content } of data.clinks) seen.add(content)
    }
    expect(seen.size).toBe(10_000)
    emulator.moveClock(300_000)
    expect((await ask(emulator, 'GET /inbox?limit=1')).data.clinks[0].content).toBe('n0')
  })
})

describe('a shelf', () => {
  it('stays in order whatever comes and goes', () => {
    const random = mulberry(11)
    const shelf = new Shelf()
    const model: Place[] = []
    for (let n = 0; n < 5_000; n += 1) {
      const there = model[Math.floor(random() * model.length)]
      if (there !== undefined && random() < 0.4) {
        shelf.remove(there)
        model.splice(model.indexOf(there), 1)
      } else {
        const place = { created: Math.floor(random() * 500), seq: n, clink_id: `c${n}` }
        shelf.add(place)
        model.push(place)
      }
    }
    model.sort(byPlace)
    expect(shelf.size).toBe(model.length)
    expect([...shelf.from(-Infinity)]).toEqual(model)
    expect([...shelf.backTo(-Infinity)]).toEqual(model.toReversed())
    for (const time of [-1, 0, 77, 250, 499, 600]) {
      const later = model.filter(({ created }) => created >= time)
      expect([...shelf.from(time)]).toEqual(later)
      expect([...shelf.backTo(time)]).toEqual(later.toReversed())
      expect(shelf.countBefore(time)).toBe(model.length - later.length)
    }
    expect([0, 100, model.length - 1, model.length].map((index) => shelf.at(index))).toEqual(
      [0, 100, model.length - 1, model.length].map((index) => model[index]),
    )
    for (const place of model) shelf.remove(place)
    expect([...shelf.from(-Infinity)]).toEqual([])
    shelf.remove({ created: 1, seq: 1, clink_id: 'gone' })
    expect(shelf.size).toBe(0)
  })
})

describe('the heap of ends', () => {
  it('gives what is due, soonest first', () => {
    const random = mulberry(5)
    const heap = new Heap<number>()
    const dues = Array.from({ length: 500 }, () => Math.floor(random() * 1_000))
    for (const due of dues) heap.push(due, due)
    const popped: number[] = []
    for (let item = heap.popDue(600); item !== undefined; item = heap.popDue(600)) popped.push(item)
    expect(popped).toEqual(dues.filter((due) => due <= 600).sort((a, b) => a - b))
    expect(heap.popDue(600)).toBeUndefined()
    expect(heap.popDue(1_000)).toBeGreaterThan(600)
  })
})
