import { describe, expect, it } from 'vitest'
import type { Switches } from '../../src/emulator/switches.ts'
import { Bench, take, type Station } from '../support/harness.ts'
import type { Settings } from '../support/settings.ts'
import { answers, requests, story, times } from '../support/record.ts'

/** Every setting of every switch in section 6 of the contract, with a claim that has to be renewed where that is possible. */
const settings: { readonly [Name in keyof Switches]: readonly Switches[Name][] } = {
  reclaim: ['renew', 'refuse', 'ignore'],
  identity: ['session', 'key', 'owner'],
  lateComplete: ['refuse-409', 'refuse-403', 'accept'],
  completeTwice: ['409', '200'],
  releaseUnclaimed: ['409', '403', '200'],
  maxTimeout: ['none', 'cap:1', 'cap:60', 'reject:1', 'reject:60'],
  maxLimit: ['cap:100', 'reject:100'],
  claimedAtOnRenew: ['moves', 'stays'],
  claimTimes: ['present', 'seconds', 'absent'],
  defaultTimeout: [2, 5, 300],
  pollRecords: ['claimed', 'snapshot', 'includesLost'],
  since: ['exclusive', 'inclusive'],
  claimedVisible: ['yes', 'no'],
  inboxOrder: ['oldest', 'newest', 'random'],
  ownClinks: ['shown', 'hidden'],
  responseText: ['verbatim', 'trimmed'],
  responseId: ['present', 'absent'],
  lengthUnit: ['codepoints', 'utf16', 'bytes'],
  recipientGone: ['400', '200'],
  rateLimit: ['none', '20/s', '20/s;seconds', '20/s;date', '20/s;absent'],
  clockSkew: ['0', '2h', '-2h', '40ms'],
  refusals: ['enveloped', 'bare'],
  groupSlugs: ['present', 'absent'],
}

const rows = Object.entries(settings).flatMap(([name, values]) => values.map((value) => [name, value] as const))
/** Nothing else goes on in the process meanwhile: beside ninety others, a second is over before a renewal has had its turns. */
const ofOneSecond = ['cap:1', 'reject:1'] as const
const isOfOneSecond = ([, value]: (typeof rows)[number]): boolean => ofOneSecond.some((one) => one === value)

/** Settings that leave the worker without a claim's end or its renewal: it can only trust the 300 s of the contract. */
function defaultTimeoutFor(name: string, value: string | number): number {
  if (name === 'defaultTimeout') return Number(value)
  return value === 'absent' || value === 'snapshot' ? 300 : value === 'seconds' ? 5 : 2
}

function expectOneRunEach(bench: Bench, station: Station, ids: readonly string[]): void {
  expect(station.runs.map(({ id }) => id).sort()).toEqual([...ids].sort())
  for (const id of ids) expect(story(bench.emulator, id)).toEqual(['created', 'claimed', 'completed'])
}

const TITLE = '%s: %s, six clinks are completed with one run and one answer each'

async function keepsItsPromises([name, value]: (typeof rows)[number]): Promise<void> {
  const defaultTimeout = defaultTimeoutFor(name, value)
  await using bench = await Bench.open({ switches: { defaultTimeout, [name]: value } })
  const ids = bench.sendMany(6)
  const station = bench.work(
    async ({ content }, ctx) => {
      await take(900, ctx)
      return `answer to ${content}`
    },
    { settings: { concurrency: 4 } },
  )
  await bench.completed(ids)

  expectOneRunEach(bench, station, ids)
  const sent = answers(bench.emulator).map(({ content }) => content.split('\n')[0])
  expect(new Set(sent)).toEqual(new Set(ids.map((_, n) => `answer to task ${n}`)))
  expect(sent).toHaveLength(ids.length)
}

describe.concurrent('P1, P5: whatever the setting of section 6 of the contract', () => {
  it.for(rows.filter((row) => !isOfOneSecond(row)))(TITLE, keepsItsPromises)
})

describe.concurrent('Section 6 of the contract, where the setting matters', () => {
  it.for(['moves', 'stays'] as const)('claimedAtOnRenew %s: a long handler keeps its claim', async (setting) => {
    await using bench = await Bench.open({ switches: { claimedAtOnRenew: setting, defaultTimeout: 2 } })
    const id = bench.send('long')
    const station = bench.work(async (_, ctx) => await take(5_000, ctx), { settings: { claim: { timeout: 2_000 } } })
    await bench.completed(id)

    expectOneRunEach(bench, station, [id])
  })

  it.for(['2h', '-2h', '90s', '-3s'])('clockSkew %s: a long handler keeps its claim', async (clockSkew) => {
    await using bench = await Bench.open({ switches: { clockSkew, defaultTimeout: 2 } })
    const id = bench.send('long')
    const station = bench.work(async (_, ctx) => await take(5_000, ctx), { settings: { claim: { timeout: 2_000 } } })
    await bench.completed(id)

    expectOneRunEach(bench, station, [id])
  })

  it('claimTimes seconds: a long handler keeps its claim', async () => {
    await using bench = await Bench.open({ switches: { claimTimes: 'seconds', defaultTimeout: 5 } })
    const id = bench.send('long')
    const station = bench.work(async (_, ctx) => await take(11_000, ctx), { settings: { claim: { timeout: 5_000 } } })
    await bench.completed(id)

    expectOneRunEach(bench, station, [id])
  })

  it.for(['reject:100', 'cap:100'] as const)(
    'maxLimit %s: more slots than a page holds are filled',
    async (maxLimit) => {
      await using bench = await Bench.open({ switches: { maxLimit } })
      const ids = bench.sendMany(130)
      const station = bench.work(
        async (_, ctx) => {
          for (let turns = 0; station.runs.length < 120 && turns < 400; turns += 1) await take(20, ctx)
        },
        { settings: { concurrency: 120 } },
      )
      await bench.completed(ids)

      expectOneRunEach(bench, station, ids)
      expect(station.mostRunning).toBe(120)
    },
  )

  it.for(['claimed', 'snapshot', 'includesLost'] as const)(
    'pollRecords %s: two workers on different keys run each clink once',
    async (pollRecords) => {
      // What a worker cannot tell from another's claim comes back when it runs out.
      const defaultTimeout = pollRecords === 'includesLost' ? 2 : 300
      await using bench = await Bench.open({ switches: { pollRecords, defaultTimeout } })
      const ids = bench.sendMany(60)
      const stations = ['worker', 'helper'].map((key) =>
        bench.work(async (_, ctx) => await take(20, ctx), { key, settings: { concurrency: 3 } }),
      )
      await bench.completed(ids)

      expect(stations.flatMap(({ runs }) => runs.map(({ id }) => id)).sort()).toEqual([...ids].sort())
      for (const id of ids) expect(times(bench.emulator, id, 'completed')).toBe(1)
    },
  )

  it.for(['session', 'key', 'owner'] as const)(
    'identity %s: two workers on the same key run each clink once',
    async (identity) => {
      await using bench = await Bench.open({ switches: { identity, defaultTimeout: 2 } })
      const ids = bench.sendMany(12)
      const settings: Settings = { concurrency: 3, claim: { timeout: 2_000 } }
      const stations = [1, 2].map(() => bench.work(async (_, ctx) => await take(2_500, ctx), { settings }))
      await bench.completed(ids)

      expect(stations.flatMap(({ runs }) => runs.map(({ id }) => id)).sort()).toEqual([...ids].sort())
    },
  )

  it.for([
    ['bytes', 'é'.repeat(4_096), true],
    ['bytes', '😀'.repeat(2_000), true],
    ['bytes', 'e'.repeat(4_096), false],
    ['utf16', '😀'.repeat(2_048), false],
    ['utf16', '😀'.repeat(2_049), true],
    ['codepoints', '😀'.repeat(2_048), false],
  ] as const)('lengthUnit %s: a long response is delivered', async ([lengthUnit, response, isShortened]) => {
    await using bench = await Bench.open({ switches: { lengthUnit } })
    const id = bench.send('work')
    const station = bench.work(() => response)
    await bench.completed(id)

    const [sent] = answers(bench.emulator)
    expect(station.runs).toHaveLength(1)
    expect(sent?.content.isWellFormed()).toBe(true)
    if (isShortened) expect(sent?.content.slice(0, 1_000)).toBe(response.slice(0, 1_000))
    else expect(sent?.content).toBe(response)
  })

  it.for([
    ['400', 0],
    ['200', 1],
  ] as const)('recipientGone %s: the clink of a sender who left is completed', async ([recipientGone, sent]) => {
    await using bench = await Bench.open({ switches: { recipientGone } })
    const id = bench.send('work')
    bench.emulator.leave('ops', 'bob')
    const station = bench.work(() => 'an answer')
    await bench.completed(id)

    expect(station.runs).toHaveLength(1)
    expect(answers(bench.emulator)).toHaveLength(sent)
  })

  it.for(['3/s', '3/s;seconds', '3/s;date', '3/s;absent'] as const)(
    'rateLimit %s: clinks are worked slowly, one run each, and leases are kept',
    { timeout: 40_000 },
    async (rateLimit) => {
      await using bench = await Bench.open({ switches: { rateLimit, defaultTimeout: 5 } })
      const ids = bench.sendMany(6)
      const station = bench.work(() => 'done', {
        settings: { concurrency: 2, claim: { timeout: 5_000 }, poll: { interval: 500, maxInterval: 1_000 } },
      })
      await bench.completed(ids)

      expectOneRunEach(bench, station, ids)
    },
  )

  it.for(['409', '403', '200'] as const)(
    'releaseUnclaimed %s: a release whose answer is lost is not sent again',
    async (releaseUnclaimed) => {
      await using bench = await Bench.open({ switches: { releaseUnclaimed } })
      bench.fault({ operation: 'release_clink', nth: 1 }, { cut: 'after' })
      const id = bench.send('work')
      const station = bench.work((_, ctx) => ctx.release('not me'))
      await station.seen('clink.parked', id)

      expect(requests(bench.emulator, 'release_clink').filter(({ path }) => path.includes(id))).toHaveLength(1)
      expect(station.runsOf(id)).toHaveLength(1)
    },
  )
})

describe('P1, P5: claims of one second', () => {
  it.for(rows.filter(isOfOneSecond))(TITLE, keepsItsPromises)

  it.for(ofOneSecond)('maxTimeout %s: a long handler keeps its claim', async (maxTimeout) => {
    await using bench = await Bench.open({ switches: { maxTimeout, defaultTimeout: 2 } })
    const ids = bench.sendMany(2)
    const station = bench.work(async (_, ctx) => await take(5_000, ctx), { settings: { claim: { timeout: 60_000 } } })
    await bench.completed(ids)

    expectOneRunEach(bench, station, ids)
    if (maxTimeout !== 'reject:1') return
    const asked = requests(bench.emulator, 'claim_clink').map(({ params }) => params['timeout_seconds'] !== undefined)
    expect(asked.filter(Boolean).length).toBeLessThanOrEqual(2)
    expect(asked.filter((one) => !one).length).toBeGreaterThan(2)
  })
})
