import { describe, expect, it } from 'vitest'
import { Bench } from '../../support/harness.ts'
import { threadTargets } from '../../support/thread-targets.ts'

const MEBIBYTE = 1_048_576
const threadMemory = 32 * MEBIBYTE
const reason = 'the handler needed more memory than a thread may have (handlers.threadMemory: 32MiB)'
const wait = 'await new Promise((resolve) => setTimeout(resolve, 60_000))'

describe('a run that needs more than handlers.threadMemory has failed, and the process goes on', () => {
  it.each([
    ['objects in a loop', 'const all = []; for (;;) all.push({ all: [all.length] })'],
    ['a list that grows', 'const all = []; for (;;) all.push(all.length)'],
    ['a text that is parsed', `globalThis.all = JSON.parse('[' + '{"a":[1,2,3]},'.repeat(2e6) + '1]'); ${wait}`],
    ['a list made at once', `globalThis.all = Array.from({ length: 1e7 }, (_, i) => i); ${wait}`],
  ])('%s', async (_, code) => {
    await using bench = await Bench.open()
    const target = await threadTargets({
      work: `async ({ content }) => { if (content === 'bad') { ${code} } return 'fine' }`,
    })
    const settings = { concurrency: 1, retry: { attempts: 1 }, handlers: { threadMemory } }
    const station = bench.work(() => {}, { target: target('work'), settings })
    const [bad, good] = [bench.send('bad'), bench.send('good')]
    expect(await station.seen('clink.deadLettered', bad)).toMatchObject({ reason })
    await bench.completed(good)
  })
})

describe('a run that needs less goes on', () => {
  it('whatever it has thrown away', async () => {
    await using bench = await Bench.open()
    const target = await threadTargets({
      work: `async () => {
        for (let n = 0; n < 50; n += 1) {
          globalThis.last = Array.from({ length: 3e5 }, (_, i) => ({ i }))
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        return 'fine'
      }`,
    })
    const settings = { concurrency: 1, retry: { attempts: 1 }, handlers: { threadMemory: 64 * MEBIBYTE } }
    bench.work(() => {}, { target: target('work'), settings })
    await bench.completed(bench.send('hello'))
  })

  it('what earlier ones have left in its thread is not its fault: the thread is replaced', async () => {
    await using bench = await Bench.open()
    const target = await threadTargets({
      work: `async () => {
        globalThis.kept = [...(globalThis.kept ?? []), Array.from({ length: 3e5 }, (_, i) => ({ i }))]
        await new Promise((resolve) => setTimeout(resolve, 30))
      }`,
    })
    const settings = { concurrency: 1, retry: { attempts: 1 }, handlers: { threadMemory: 64 * MEBIBYTE } }
    const station = bench.work(() => {}, { target: target('work'), settings })
    await bench.completed(bench.sendMany(14))
    expect(station.all('clink.deadLettered')).toEqual([])
  })
})
