import { expect, it } from 'vitest'
import type { Limits } from '../../../src/handlers/route.ts'
import { MINUTE, VirtualBench } from '../../support/virtual.ts'

const SENDERS = ['alice', 'bob'] as const

it.for([
  ['one sender', ['bob']],
  ['all senders', SENDERS],
] as const)(
  'P10, §4: clinks of %s that always fail keep no good one of theirs from being worked, though these are one at a time',
  async ([, senders]) => {
    const limits: Limits = { serial: 'sender' }
    const running = new Set<string>()
    const beside: string[] = []
    const bench: VirtualBench = new VirtualBench({
      limits,
      settings: {
        claim: { exclusive: true },
        inbox: { claim: 'select' },
        retry: { attempts: 2, backoff: 200, maxBackoff: 1_000 },
      },
      handle: async ({ content, sender_id: sender }, { signal }) => {
        if (running.has(sender)) beside.push(content)
        running.add(sender)
        await bench.take(10, signal)
        running.delete(sender)
        if (content.startsWith('bad')) throw new Error('it is bad')
      },
    })
    const send = (content: string, from: string): string => bench.emulator.send('ops', content, { from }).clink_id
    const rounds = 6 / senders.length
    const bad = Array.from({ length: rounds }).flatMap((_, n) => senders.map((from) => send(`bad ${n}`, from)))
    const good = senders.map((from) => send('good', from))
    while (bench.all('route.paused').length === 0) await bench.pass(100)
    expect(good.map((id) => bench.emulator.clink(id)?.status)).toEqual(good.map(() => 'pending'))
    await bench.pass(MINUTE)
    expect(good.map((id) => bench.emulator.clink(id)?.status)).toEqual(good.map(() => 'completed'))
    expect([
      bad.map((id) => bench.all('clink.deadLettered').filter(({ clink }) => clink.clink_id === id).length),
      beside,
    ]).toEqual([bad.map(() => 1), []])
    await bench.stop()
  },
)
