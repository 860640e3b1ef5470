import { describe, expect, it } from 'vitest'
import type { Transport } from '../../src/clink/transport.ts'
import { Identity, keptIdentity } from '../../src/keys/identity.ts'
import { story } from '../support/record.ts'
import { MINUTE, VirtualBench, type VirtualOptions } from '../support/virtual.ts'

/** Where the worker of a bench takes its service to be. */
const URL = 'http://127.0.0.1:1'

/** Names somebody else as the owner in the answers to claims whose number, from 1 on, is asked for. */
function lying(isLie: (n: number) => boolean): (inner: Transport) => Transport {
  let claims = 0
  return (inner) => ({
    send: async (request) => {
      const answer = await inner.send(request)
      if (!/\/claim$|claim=true/.test(request.path) || !answer.body.includes('"claimed_by"')) return answer
      claims += 1
      if (!isLie(claims)) return answer
      return { ...answer, body: answer.body.replaceAll(/"claimed_by":"[^"]*"/g, '"claimed_by":"ap_somebody"') }
    },
  })
}

function bench(claim: 'select' | 'batch', isLie: (n: number) => boolean, options: Partial<VirtualOptions> = {}) {
  const made: VirtualBench = new VirtualBench({
    settings: { inbox: { claim }, claim: { exclusive: true }, handlers: { timeout: 10 * MINUTE } },
    handle: async ({ content }, ctx) => await made.take(content === 'long' ? 3 * MINUTE : 2_000, ctx.signal),
    spoil: lying(isLie),
    ...options,
  })
  return made
}

const learnt = (made: VirtualBench): string[] => made.all('worker.identity').map(({ identity }) => identity)

describe('§8: who we are, learnt from an answer that was false (P12, P13)', () => {
  it.for(['select', 'batch'] as const)('is given up when the next claim denies it (%s)', async (claim) => {
    const made = bench(claim, (n) => n === 1)
    made.send('first')
    await made.pass(MINUTE)
    const ids = [made.send('second'), made.send('third')]
    await made.pass(20 * MINUTE)

    expect(ids.map((id) => made.emulator.clink(id)?.status)).toEqual(['completed', 'completed'])
    expect(learnt(made)).toEqual(['ap_somebody', 'ap_worker'])
    expect(made.all('worker.identityGivenUp')).toMatchObject([{ identity: 'ap_somebody', named: 'ap_worker' }])
    expect(keptIdentity(made.ledger, URL)).toBe('ap_worker')
    await made.stop()
  })

  it('is given up when a renewal denies it', async () => {
    const made = bench('select', (n) => n === 1)
    const id = made.send('long')
    await made.pass(30 * MINUTE)

    expect(made.emulator.clink(id)?.status).toBe('completed')
    expect(learnt(made)).toEqual(['ap_somebody', 'ap_worker'])
    await made.stop()
  })

  it('is given up by the next process as well, to which it was left', async () => {
    const made = bench('select', (n) => n === 1)
    made.send('first')
    await made.pass(MINUTE)
    await made.stop()
    expect(keptIdentity(made.ledger, URL)).toBe('ap_somebody')
    made.begin()
    const id = made.send('work')
    await made.pass(20 * MINUTE)

    expect(made.emulator.clink(id)?.status).toBe('completed')
    expect(learnt(made)).toEqual(['ap_somebody', 'ap_worker'])
    await made.stop()
  })

  it('stays when it was confirmed, and the worker says that claims come to nothing', async () => {
    const made = bench('select', (n) => n <= 2)
    const ids = [made.send('first'), made.send('second')]
    await made.pass(MINUTE)
    const later = made.send('third')
    await made.pass(20 * MINUTE)

    expect(ids.map((id) => made.emulator.clink(id)?.status)).toEqual(['completed', 'completed'])
    expect(story(made.emulator, later).filter((what) => what === 'claimed').length).toBeGreaterThan(2)
    expect(made.daemon.readiness()).toMatchObject({
      ready: false,
      reasons: [expect.stringMatching(/names somebody else as their owner/)],
    })
    expect(made.all('worker.notReady').at(-1)?.advice).toMatch(/set clink.identity/)
    await made.stop()
  })

  it('is not given up where it is configured: the worker says that claims come to nothing, and works when they do not', async () => {
    let isLying = false
    const settings = {
      clink: { identity: 'ap_worker' },
      inbox: { claim: 'select' },
      claim: { exclusive: true },
    } as const
    const made = bench('select', () => isLying, { settings })
    made.send('first')
    await made.pass(MINUTE)
    isLying = true
    const id = made.send('work')
    await made.pass(20 * MINUTE)
    expect(made.daemon.readiness()).toMatchObject({ ready: false })

    isLying = false
    await made.pass(20 * MINUTE)
    expect(made.emulator.clink(id)?.status).toBe('completed')
    expect(made.daemon.readiness()).toMatchObject({ ready: true })
    await made.stop()
  })
})

describe('§8: an identity', () => {
  it('that two answers have named stays, whatever a third says', () => {
    const kept: string[] = []
    const identity = new Identity(
      undefined,
      () => {},
      (id) => kept.push(id),
    )
    identity.learn('a', 'a claim')
    identity.named('a')
    identity.named('b')

    expect([identity.id, identity.isDenied, kept]).toEqual(['a', false, ['a']])
  })
})
