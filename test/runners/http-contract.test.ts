import { afterAll, beforeAll } from 'vitest'
import type { HttpRunner } from '../../src/runners/http.ts'
import { Application, httpRunner, type Posted, type Said, type Work } from '../support/application.ts'
import { itKeepsTheContract, type Contracted, type Samples } from './contract.ts'

const ended = Promise.withResolvers<string>()
const log = async ({ ask }: Posted, message: string, rest = {}): Promise<unknown> =>
  await ask({ request: 'log', message, ...rest })

const works: Readonly<Record<keyof Samples, Work>> = {
  answers: ({ task }) => `done: ${task.clink.content}`,
  ends: () => ({ status: 204 }),
  waits: () => ({ headers: { 'clink-outcome': 'retry', 'retry-after': '9' }, text: 'busy' }),
  releases: () => ({ headers: { 'clink-outcome': 'release' }, text: 'not mine' }),
  rejects: () => ({ headers: { 'clink-outcome': 'reject' }, text: 'no such target' }),
  fails: () => ({ status: 500, text: 'the door sticks\n' }),
  tells: ({ body }) => {
    const { version: _, route, match, deadline, task: __, ...rest } = JSON.parse(body)
    return JSON.stringify({ ...rest, deadline: Date.parse(deadline), match: { route, ...match } })
  },
  floods: () => 'x'.repeat(2_097_152),
  uses: async (posted) => {
    await posted.ask({ request: 'reply', text: 'half done' })
    await log(posted, 'at it', { fields: { step: 1 } })
    return (await posted.ask({ request: 'claim_clink' })).error
  },
  steps: async ({ ask, task }) => {
    const { answer } = await ask({ request: 'step', name: 'one' })
    if (answer?.['done'] === true) return String(answer['value'])
    await ask({ request: 'reply', text: 'half done', step: 'one' })
    await ask({ request: 'step', name: 'one', value: `one of attempt ${task.attempt}` })
    return { status: 500 }
  },
  sleeps: async ({ ask, task }) => {
    const { answer } = await ask({ request: 'sleep', name: 'a while', for: '1s' })
    return answer?.['over'] === true ? `slept, attempt ${task.attempt}` : { headers: { 'clink-outcome': 'retry' } }
  },
  lives: async ({ ask }) => {
    for (let n = 0; n < 20; n += 1) {
      await ask({ request: 'keepalive' })
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    return 'alive'
  },
  obeys: async (posted) => {
    await log(posted, 'begun')
    return await posted.closed.then((): Said => undefined)
  },
  finishes: async (posted) => {
    await log(posted, 'begun')
    await posted.ask({ request: 'draining', wait: true })
    return 'finished early'
  },
  ignores: async (posted) => {
    await log(posted, 'begun')
    return await ended.promise
  },
}

let application: Application
const runners: HttpRunner[] = []
beforeAll(async () => {
  application = await Application.open(async (posted) => await works[posted.path.slice(1) as keyof Samples](posted))
})
afterAll(async () => {
  ended.resolve('too late')
  await Promise.all(runners.map(async (runner) => await runner.stop()))
  await application[Symbol.asyncDispose]()
})

function make(): Contracted {
  const runner = httpRunner()
  runners.push(runner)
  const names = Object.keys(works) as (keyof Samples)[]
  const samples = Object.fromEntries(
    names.map((name) => [name, application.target(`/${name}`, { maxResponse: 4 * 1_048_576 })]),
  ) as unknown as Samples
  return { runner, samples, end: () => ended.resolve('too late') }
}

itKeepsTheContract(make, {
  kills: false,
  letsGo: true,
  refusal: /^there is no request "claim_clink" for tasks, only reply, step, sleep, log, keepalive, mask, draining$/,
})
