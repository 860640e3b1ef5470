import { describe, expect, it } from 'vitest'
import { Play, type Breakage } from './play.ts'

const SEEDS = Number(process.env['FLEET_SEEDS'] ?? 300)
const FIRST = Number(process.env['FLEET_FROM'] ?? 1)

async function breachesOf(seed: number, breakage?: Breakage): Promise<readonly string[]> {
  const play = new Play(seed, breakage)
  await play.run()
  return play.breaches.map((text) => `seed ${seed}, ${text}`)
}

/** The first seed that shows a broken rule. */
async function noticed(breakage: Breakage, sign: RegExp): Promise<string | undefined> {
  for (let seed = 1; seed <= 1_500; seed += 1) {
    const breach = (await breachesOf(seed, breakage)).find((text) => sign.test(text))
    if (breach !== undefined) return breach
  }
  return undefined
}

describe('three members that are killed, over a store that is slow and away', { timeout: 300_000 }, () => {
  it(`work every clink to its end, and break no rule (${SEEDS} seeds from ${FIRST})`, async () => {
    const breaches: string[] = []
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) breaches.push(...(await breachesOf(seed)))
    expect(breaches).toEqual([])
  })

  it('are noticed where a start is not waited for', async () => {
    const fleet: Breakage['fleet'] = (real) =>
      new Proxy(real, {
        get: (target, name) => {
          if (name === 'begun')
            return async (id: string, here: Promise<void>) => {
              void target.begun(id, here)
              await here
            }
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    expect(await noticed({ fleet }, /starts that count/)).toBeDefined()
  })

  it('are noticed where what was read before the claim counts', async () => {
    const fleet: Breakage['fleet'] = (real) =>
      new Proxy(real, {
        get: (target, name) => {
          if (name === 'recall') return async () => await Promise.resolve()
          if (name === 'of') return () => 'none'
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    expect(await noticed({ fleet }, /given up before|computed before/)).toBeDefined()
  })

  it('are noticed where a result is not shared', async () => {
    const store: Breakage['store'] = (real) => ({
      ...real,
      recall: async (ids) => {
        const { parts, ...more } = await real.recall(ids)
        return { ...more, parts: parts.map((part) => ({ ...part, result: null })) }
      },
    })
    expect(await noticed({ store }, /computed before/)).toBeDefined()
  })

  it('are noticed where handlers start while the store is away', async () => {
    expect(await noticed({ startsAlways: true }, /before|starts that count/)).toBeDefined()
  })

  it('are noticed where a late statement of a dead process counts, or letters are not shared', async () => {
    const store: Breakage['store'] = (real) => ({
      ...real,
      write: async (batch) => await real.write({ ...batch, notes: [] }),
    })
    expect(await noticed({ store }, /came to no end|starts that count/)).toBeDefined()
  })
})
