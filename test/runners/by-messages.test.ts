import { setTimeout as delay } from 'node:timers/promises'
import { asError } from '../../src/base/coded-error.ts'
import { errorFact } from '../../src/base/error-fact.ts'
import type { Target } from '../../src/handlers/route.ts'
import { FakeRunner, type Program } from '../support/fake-runner.ts'
import { itKeepsTheContract, type Contracted, type Samples } from './contract.ts'

const never = new Promise<never>(() => {})

const programs: Readonly<Record<keyof Samples, Program>> = {
  answers: async ({ envelope }) =>
    await Promise.resolve({ outcome: 'done', response: `done: ${envelope.clink.content}` }),
  ends: async () => await Promise.resolve({ outcome: 'done' }),
  waits: async () => await Promise.resolve({ outcome: 'retry', after: 9_000, reason: 'busy' }),
  releases: async () => await Promise.resolve({ outcome: 'release', reason: 'not mine' }),
  rejects: async () => await Promise.resolve({ outcome: 'reject', reason: 'no such target' }),
  fails: async () => await Promise.resolve({ outcome: 'failed', error: errorFact('the door sticks') }),
  tells: async ({ envelope }) => await Promise.resolve({ outcome: 'done', response: JSON.stringify(envelope) }),
  floods: async () => await Promise.resolve({ outcome: 'done', response: 'x'.repeat(2 * 1_024 * 1_024) }),
  uses: async ({ ask, envelope, log }) => {
    await ask('reply', 'half done', 'sender')
    log('info', 'at it', { step: 1 })
    const refused = ask('claim_clink', { clink_id: envelope.clink.clink_id })
    return { outcome: 'done', response: await refused.then(String, (error: unknown) => asError(error).message) }
  },
  steps: async ({ ask, envelope: { attempt } }) => {
    const kept = await ask('beginStep', 'one')
    if (kept === undefined) {
      await ask('reply', 'half done', 'sender', 'one')
      await ask('endStep', 'one', JSON.stringify(`one of attempt ${attempt}`))
    }
    if (attempt === 1) return { outcome: 'failed', error: errorFact('the first attempt') }
    return { outcome: 'done', response: JSON.parse(String(kept)) as string }
  },
  sleeps: async ({ ask, envelope: { attempt } }) => {
    const until = await ask('sleep', 'a while', 1_000)
    if (typeof until === 'number') return { outcome: 'asleep', name: 'a while', until }
    return { outcome: 'done', response: `slept, attempt ${attempt}` }
  },
  obeys: async ({ aborted, log }) => {
    log('info', 'begun')
    return { outcome: 'failed', error: errorFact(await aborted) }
  },
  finishes: async ({ draining, log }) => {
    log('info', 'begun')
    await draining
    return { outcome: 'done', response: 'finished early' }
  },
  lives: async ({ log }) => {
    for (let n = 0; n < 20; n += 1) {
      await delay(300)
      log('debug', 'at it')
    }
    return { outcome: 'done', response: 'alive' }
  },
  ignores: async ({ log }) => {
    log('info', 'begun')
    return await never
  },
}

const program = (name: keyof Samples): Target => ({
  is: 'program',
  command: [name],
  cwd: '/',
  env: {},
  output: 'text',
  maxOutput: 1_000,
})

function make(): Contracted {
  const samples: Samples = {
    answers: program('answers'),
    ends: program('ends'),
    waits: program('waits'),
    releases: program('releases'),
    rejects: program('rejects'),
    fails: program('fails'),
    tells: program('tells'),
    floods: program('floods'),
    uses: program('uses'),
    steps: program('steps'),
    sleeps: program('sleeps'),
    obeys: program('obeys'),
    finishes: program('finishes'),
    lives: program('lives'),
    ignores: program('ignores'),
  }
  return { runner: new FakeRunner(programs), end: () => {}, samples }
}

itKeepsTheContract(make, { kills: true })
