import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Switches } from '../../../src/emulator/switches.ts'
import type { HandleFunction } from '../../../src/handlers/handler.ts'
import { Bench, until, type Station } from '../../support/harness.ts'
import type { Settings } from '../../support/settings.ts'

interface Circle {
  readonly settings?: Settings
  /** The other one's, where they are not the same. */
  readonly others?: Settings
  readonly switches?: Partial<Switches>
  readonly mark?: 'never'
  /** Most clinks that there may be, with the one that began it: a constant of the way they answer. */
  readonly most?: number
  readonly handle: HandleFunction
}

const ANSWERS: HandleFunction = () => 'and you?'
/** One that begins, eight answers, and the word that it ends. */
const STRAIGHT = 10

/** What each takes away from the other for as long as its claim lasts, since it sent it itself. */
const SHORT = { defaultTimeout: 1 } as const

const circles: Readonly<Record<string, Circle>> = {
  'at full speed': { handle: ANSWERS },
  'one answer in a while': {
    handle: async () => {
      await delay(150)
      return 'and you?'
    },
  },
  'with unequal marks': { handle: ANSWERS, others: { replies: { mark: 'written by a machine' } } },
  'with JSON': { handle: () => ({ and: 'you?' }) },
  'with JSON to text and text to JSON': {
    handle: ({ content }) => (content.startsWith('{') ? 'and you?' : { and: 'you?' }),
  },
  'with what they were told': { handle: ({ content }) => content },
  'with texts that are cut': { handle: () => 'and you? \u{1F980} '.repeat(600) },
  'with texts that are cut to bytes': {
    handle: () => 'und du? ä '.repeat(600),
    switches: { lengthUnit: 'bytes' },
  },
  'where texts are trimmed and ids untold': {
    handle: () => 'and you? \n',
    switches: { responseText: 'trimmed', responseId: 'absent' },
  },
  'through ctx.api, to the sender': {
    handle: async ({ group_id, sender_id }, { api }) => {
      await api.sendClink({ group_id, content: 'and you?', for: sender_id })
    },
  },
  'through ctx.api, with JSON': {
    handle: async ({ group_id, sender_id }, { api }) => {
      await api.sendClink({ group_id, content: '["and you?"]', for: sender_id })
    },
  },
  'through ctx.api, to the group': {
    handle: async ({ group_id }, { api }) => {
      await api.sendClink({ group_id, content: 'who next?' })
    },
    switches: SHORT,
  },
  'by progress to the sender': { handle: async (_, ctx) => void (await ctx.reply('I am at it')), most: 2 },
  'by progress to the group': {
    handle: async (_, ctx) => void (await ctx.reply('I am at it', { to: 'group' })),
    most: 2,
  },
  'by progress and answers': {
    handle: async (_, ctx) => {
      await ctx.reply('I am at it')
      await ctx.reply('I am at it, all of you', { to: 'group' })
      return 'and you?'
    },
    most: 3 * STRAIGHT,
  },
  'by what they say of their failures': {
    handle: () => {
      throw new Error('what is this?')
    },
    settings: { retry: { attempts: 1, onExhausted: 'complete' } },
  },
  'one of which leaves the line out': { handle: ANSWERS, mark: 'never', most: STRAIGHT + 2 },
  'that listen to everything in the group': {
    handle: ANSWERS,
    settings: { inbox: { for: 'anyone' } },
    switches: SHORT,
  },
}

/** Two workers on agent profiles; helper writes to worker. Resolves when nothing waits any more that somebody would run. */
async function run(bench: Bench, circle: Circle): Promise<readonly Station[]> {
  const { handle, mark, settings, others = settings } = circle
  const stations = [
    bench.work(handle, { key: 'worker', ...(settings && { settings }), ...(mark && { mark }) }),
    bench.work(handle, { key: 'helper', ...(others && { settings: others }) }),
  ]
  bench.send('what do you say?', { from: 'helper', for: 'ap_worker' })
  const isOver = (): boolean =>
    bench.emulator.clinks().every(({ content, status }) => status === 'completed' || / · (note|hop end)$/.test(content))
  await until(isOver, 'the circle ends')
  return stations
}

describe.concurrent('P15, §5: agents that answer each other in a circle come to an end by themselves', () => {
  it.for(Object.entries(circles))('%s', async ([, circle]) => {
    await using bench = await Bench.open({ switches: circle.switches ?? {} })
    const stations = await run(bench, circle)

    expect(bench.emulator.clinks().length).toBeGreaterThan(1)
    expect(bench.emulator.clinks().length).toBeLessThanOrEqual(circle.most ?? STRAIGHT)
    expect(stations.flatMap((station) => station.all('sender.muted'))).toEqual([])
    for (const { content } of stations.flatMap(({ runs }) => runs)) expect(content).not.toMatch(/·|\t/)
  })

  it('at inbox.maxHops, with a word to the sender, a count, and no dead letter', async () => {
    await using bench = await Bench.open()
    const hops: number[] = []
    const handle: HandleFunction = (_, ctx) => {
      hops.push(ctx.hops)
      return 'and you?'
    }
    const stations = await run(bench, { handle, settings: { inbox: { maxHops: 3 } } })
    const endings = () => stations.flatMap((station) => station.all('clink.circleEnded'))
    await until(() => endings().length > 0, 'it is told')
    const [ended] = endings()
    const last = bench.emulator.clinks().at(-1)

    expect(hops).toEqual([0, 1, 2])
    expect(ended).toMatchObject({ hops: 3, clink: { content: 'and you?\n— clink-worker · hop 3' } })
    expect(last).toMatchObject({ sender_id: 'ap_helper', for: 'ap_worker' })
    expect(last?.content).toMatch(/^— clink-worker: not run, [^\n]+ · hop end$/)
    expect(stations.map(({ daemon }) => daemon.snapshot().circlesEnded)).toEqual([0, 1])
    expect(stations.flatMap((station) => station.all('clink.deadLettered'))).toEqual([])
  })

  it('in select mode too', async () => {
    await using bench = await Bench.open()
    const select = { inbox: { claim: 'select' }, claim: { exclusive: true }, poll: { sweep: 200 } } as const
    const known = (identity: string): Settings => ({ ...select, clink: { identity } })
    await run(bench, { handle: ANSWERS, settings: known('ap_worker'), others: known('ap_helper') })

    expect(bench.emulator.clinks()).toHaveLength(STRAIGHT)
  })

  it('and what ends them is acknowledged where own replies are', async () => {
    await using bench = await Bench.open()
    const handle: HandleFunction = async (_, ctx) => {
      await ctx.reply('I am at it')
      return 'and you?'
    }
    const stations = await run(bench, { handle, settings: { inbox: { ownReplies: 'acknowledge' } } })
    await until(() => bench.emulator.clinks().every(({ status }) => status === 'completed'), 'all are completed')

    expect(stations.flatMap(({ runs }) => runs)).toHaveLength(8)
  })
})

describe.concurrent('P15, §5: what a handler sends through ctx.api', () => {
  it.for<[string, { readonly for?: string }]>([
    ['to itself', { for: 'ap_worker' }],
    ['to the group', {}],
  ])('%s, is work neither for it nor for another worker of ours', async ([, to]) => {
    await using bench = await Bench.open()
    const notes: string[] = []
    const handle: HandleFunction = async ({ group_id }, { api }) => {
      notes.push((await api.sendClink({ group_id, content: 'to be kept in mind', ...to })).clink_id)
    }
    const stations = [1, 2].map(() => bench.work(handle, { settings: { concurrency: 2 } }))
    const ids = bench.sendMany(10)
    await bench.completed(ids)
    const polls = (): number => Math.min(...stations.map((station) => station.all('poll.succeeded').length))
    const before = polls()
    await until(() => polls() > before + 5, 'nothing more is taken')

    expect(stations.flatMap(({ runs }) => runs.map(({ id }) => id)).toSorted()).toEqual(ids.toSorted())
    expect(notes).toHaveLength(10)
    for (const id of notes)
      expect(bench.emulator.clink(id)?.content).toMatch(/^to be kept in mind\n— clink-worker · hop 1$/)
  })

  it('to itself, where its route leaves the line out, is known by its id', async () => {
    await using bench = await Bench.open()
    const handle: HandleFunction = async ({ group_id }, { api }) => {
      await api.sendClink({ group_id, content: 'to be kept in mind', for: 'ap_worker' })
    }
    const station = bench.work(handle, { mark: 'never' })
    const id = bench.send('work')
    await until(() => station.all('clink.parked').length > 0 || station.runs.length > 1, 'it has come back')

    expect(station.all('clink.parked')).toMatchObject([{ why: 'own-reply', clink: { content: 'to be kept in mind' } }])
    expect(station.runs.map((run) => run.id)).toEqual([id])
  })

  it('to a person reads as it was written', async () => {
    await using bench = await Bench.open()
    const texts = ['plain words', '{"a": [1]}', 'x'.repeat(4_096)]
    const sent: string[] = []
    bench.work(async ({ group_id }, { api }) => {
      for (const content of texts) sent.push((await api.sendClink({ group_id, content, for: 'user_bob' })).clink_id)
    })
    await bench.completed(bench.send('write to bob'))

    expect(sent.map((id) => bench.emulator.clink(id)?.content)).toEqual(texts)
  })

  it('and is as long as a clink may be, keeps its line', async () => {
    await using bench = await Bench.open()
    let id = ''
    bench.work(async ({ group_id }, { api }) => {
      id = (await api.sendClink({ group_id, content: 'x'.repeat(4_096) })).clink_id
    })
    await bench.completed(bench.send('write to all'))

    expect(bench.emulator.clink(id)?.content).toMatch(/^x{4000,}.*\n— clink-worker · hop 1$/)
  })
})

it('a note of another worker is never work, in whichever words it is marked (P15, §5)', async () => {
  await using bench = await Bench.open()
  const station = bench.work(() => 'an answer')
  const note = bench.send('half way\nfrom a machine · note', { from: 'helper' })
  const end = bench.send('from a machine: enough · hop end', { from: 'helper' })
  await bench.completed(bench.send('from bob'))
  await until(() => station.all('clink.parked').length >= 2, 'both are left alone')

  expect(station.all('clink.parked').map(({ clink, why }) => [clink.clink_id, why])).toEqual([
    [note, 'note'],
    [end, 'note'],
  ])
  expect(station.runs).toHaveLength(1)
})
