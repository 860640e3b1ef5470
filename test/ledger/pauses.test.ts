import { describe, expect, it } from 'vitest'
import { endOf, KeptPauses, leftOf, PAUSES, type Pause } from '../../src/ledger/pauses.ts'

/** Pauses that lie in the facts of a state directory. */
function setUp(facts = new Map<string, string>()) {
  const process = {
    fact: (name: string) => facts.get(name),
    note: async (noted: Readonly<Record<string, string>>) => {
      for (const [name, value] of Object.entries(noted)) facts.set(name, value)
      await Promise.resolve()
    },
  }
  return { facts, pauses: new KeptPauses(process, PAUSES.own), ofFleet: new KeptPauses(process, PAUSES.fleet) }
}

const everything: Pause = { by: 'alice', at: 1 }
const work: Pause = { by: 'bob', at: 2, route: 'work', note: 'the database', until: endOf(60_000, boot(5), 100) }

function boot(uptime: number, id = 'boot') {
  return { id, uptime: () => uptime }
}

describe('pauses that a state directory remembers', () => {
  it('are one of everything and one of each route, until they end, and those of a fleet are others', async () => {
    const { facts, ofFleet, pauses } = setUp()
    expect(pauses.all()).toEqual([])
    await pauses.set(everything)
    await pauses.set(work)
    await pauses.set({ ...everything, by: 'carol' })
    expect(setUp(facts).pauses.all()).toEqual([work, { ...everything, by: 'carol' }])
    expect([pauses.of('work'), pauses.of(undefined)?.by, pauses.of('other'), ofFleet.all()]).toEqual([
      work,
      'carol',
      undefined,
      [],
    ])
    await ofFleet.replace([work])
    await pauses.end('work')
    expect([pauses.all().length, pauses.of('work'), ofFleet.all()]).toEqual([1, undefined, [work]])
    await pauses.end(undefined)
    expect(pauses.all()).toEqual([])
  })

  it('that do not stand need no write to end', async () => {
    const { facts, pauses } = setUp()
    await pauses.end('work')
    await pauses.end(undefined)
    expect(facts.size).toBe(0)
  })

  it.each(['no JSON', '{"by":"alice"}', '[{"by":1,"at":1}]'])(
    'are none where nobody can read them: %s',
    async (text) => {
      const { pauses } = setUp(new Map([[PAUSES.own, text]]))
      expect(pauses.all()).toEqual([])
      await pauses.set(everything)
      expect(pauses.all()).toEqual([everything])
    },
  )
})

describe('what is left of a pause', () => {
  const until = endOf(60_000, boot(5_000), 1_000_000)

  it('goes by the uptime of the boot in which it was asked for, and in another one by the wall clock', () => {
    expect(until).toEqual({ for: 60_000, boot: 'boot', uptime: 65_000, wall: 1_060_000 })
    expect(leftOf({ until }, boot(15_000), 9_999_999)).toBe(50_000)
    expect(leftOf({ until }, boot(15_000, 'next'), 1_020_000)).toBe(40_000)
    expect(leftOf({ until }, boot(70_000), 0)).toBe(-5_000)
  })

  it('is never more than was asked for, and unknown where it has no end', () => {
    expect(leftOf({ until }, boot(0, 'next'), 0)).toBe(60_000)
    expect(leftOf({}, boot(0), 0)).toBeUndefined()
  })
})
