import { describe, expect, it } from 'vitest'
import type { Clink } from '../../../src/clink/records.ts'
import { Bench, until, type Station } from '../../support/harness.ts'
import { requests, story } from '../../support/record.ts'
import { OPS, SUPPORT } from '../../support/running-emulator.ts'
import type { Settings } from '../../support/settings.ts'

const SWEEP = 200
const withInbox = (inbox: NonNullable<Settings['inbox']>): Settings => ({
  inbox,
  claim: { exclusive: true, timeout: 60_000 },
  poll: { sweep: SWEEP },
})
const asked = ({ emulator }: Bench): number =>
  requests(emulator, 'list_groups').length + requests(emulator, 'resolve_group').length

/** Several sweeps that began after now. */
async function swept({ emulator }: Bench): Promise<void> {
  const sweeps = () => requests(emulator, 'check_inbox').filter(({ params }) => params['since'] === undefined).length
  const before = sweeps()
  await until(() => sweeps() > before + 3, 'some sweeps')
}

function exchange({ emulator }: Bench): void {
  emulator.renameGroup(OPS, 'meanwhile')
  emulator.renameGroup(SUPPORT, 'ops')
  emulator.renameGroup(OPS, 'support')
}

const texts = ({ runs }: Station): string[] => runs.map(({ content }) => content).sort()

describe.concurrent.each(['present', 'absent'] as const)('records with slugs %s: inbox.groups (§3)', (groupSlugs) => {
  it('follows two groups that exchange their slugs', async () => {
    await using bench = await Bench.open({ switches: { groupSlugs } })
    const station = bench.work(() => 'done', { key: 'robot', settings: withInbox({ groups: ['ops'] }) })
    await bench.completed(bench.emulator.send(OPS, '1 of ops').clink_id)
    exchange(bench)
    await swept(bench)
    const foreign = bench.emulator.send(OPS, 'support now').clink_id
    await bench.completed(bench.emulator.send(SUPPORT, '2 of the new ops').clink_id)
    await swept(bench)

    expect(texts(station)).toEqual(['1 of ops', '2 of the new ops'])
    expect(story(bench.emulator, foreign)).toEqual(['created'])
  })

  it('leaves a group alone that is renamed, and says that there is none of the name', async () => {
    await using bench = await Bench.open({ switches: { groupSlugs } })
    const station = bench.work(() => 'done', { key: 'robot', settings: withInbox({ groups: ['ops'] }) })
    await bench.completed(bench.send('before'))
    bench.emulator.renameGroup(OPS, 'platform')
    await swept(bench)
    const id = bench.emulator.send(OPS, 'after').clink_id
    await station.seen('inbox.unknownGroup')
    await swept(bench)

    expect(story(bench.emulator, id)).toEqual(['created'])
    bench.emulator.renameGroup(OPS, 'ops')
    await bench.completed(id)
    expect(texts(station)).toEqual(['after', 'before'])
  })

  it('takes a group that the key is added to', async () => {
    await using bench = await Bench.open({ switches: { groupSlugs } })
    const station = bench.work(() => 'done', { key: 'bob', settings: withInbox({ groups: ['support'] }) })
    const id = bench.emulator.send('support', 'work').clink_id
    await station.seen('inbox.unknownGroup')
    bench.emulator.join('support', 'bob')
    await bench.completed(id)

    expect(station.runs).toHaveLength(1)
  })
})

describe.concurrent('inbox.groups (§3)', () => {
  it('asks once which group a slug names while records say the same', async () => {
    await using bench = await Bench.open()
    bench.work(() => 'done', { key: 'robot', settings: withInbox({ groups: ['ops', 'support'] }) })
    await bench.completed(bench.send('work'))
    for (let n = 0; n < 3; n += 1) await swept(bench)

    expect(asked(bench)).toBe(2)
  })
})

describe.concurrent.each(['batch', 'select'] as const)(
  'routes by slugs that records do not carry, in %s mode (§4)',
  (claim) => {
    // What is parked comes again when its claim has run out.
    const switches = { groupSlugs: 'absent', defaultTimeout: 2 } as const
    const takes = ({ group_slug }: Clink): boolean => group_slug === 'ops'

    it('find the slugs, and follow two groups that exchange theirs', async () => {
      await using bench = await Bench.open({ switches })
      const settings = { ...withInbox({ claim }), claim: { exclusive: true, timeout: 2_000 } }
      const seen: unknown[] = []
      const handle = ({ group_slug }: Clink): string => `${seen.push(group_slug)}`
      const station = bench.work(handle, { key: 'robot', settings, takes, namesGroups: true })
      bench.emulator.send(SUPPORT, 'left alone')
      await bench.completed(bench.emulator.send(OPS, '1 of ops').clink_id)
      exchange(bench)
      await bench.completed(bench.emulator.send(SUPPORT, '2 of the new ops').clink_id)

      expect(texts(station).filter((text) => text !== 'left alone')).toEqual(['1 of ops', '2 of the new ops'])
      expect(new Set(seen)).toEqual(new Set(['ops']))
      expect(requests(bench.emulator, 'resolve_group')).toEqual([])
    })

    it('run nothing while nobody can say what the group is called', async () => {
      await using bench = await Bench.open({ switches })
      const away = bench.fault({ operation: 'list_groups' }, { status: 503 })
      const id = bench.emulator.send(OPS, 'work').clink_id
      const settings = { ...withInbox({ claim }), claim: { exclusive: true, timeout: 2_000 } }
      const station = bench.work(() => 'done', { key: 'robot', settings, namesGroups: true })
      await until(() => asked(bench) > 0, 'the groups are asked for')
      expect(station.runs).toEqual([])
      away.remove()
      await bench.completed(id)
      expect(station.runs).toHaveLength(1)
    })

    it('ask for no groups where no rule goes by slugs', async () => {
      await using bench = await Bench.open({ switches })
      bench.work(() => 'done', { key: 'robot', settings: withInbox({ claim, groups: claim === 'batch' ? [] : [OPS] }) })
      await bench.completed(bench.sendMany(3))
      expect(asked(bench)).toBe(0)
    })
  },
)
