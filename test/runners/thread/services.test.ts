import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { directoryWith } from '../../support/handler-files.ts'
import { Bench, type Station } from '../../support/harness.ts'
import { answers, times } from '../../support/record.ts'
import { threadTargets } from '../../support/thread-targets.ts'

async function workIn(bench: Bench, code: string): Promise<Station> {
  const target = await threadTargets({ work: code })
  return bench.work(() => {}, { target: target('work'), settings: { retry: { attempts: 1 }, concurrency: 1 } })
}

it('console and the standard streams of a thread go to the log, with the clink', async () => {
  await using bench = await Bench.open()
  const station = await workIn(
    bench,
    `() => {
      console.log('one %d', 1)
      console.warn({ two: 2 })
      console.error('three')
      console.debug('four')
      process.stdout.write('fi')
      process.stdout.write('ve\\n')
      process.stderr.write('six\\n')
    }`,
  )
  const id = bench.send('hello')
  await bench.completed(id)
  const said = station.all('clink.log', id).map(({ level, message }) => [level, message])
  expect(said).toEqual([
    ['info', 'one 1'],
    ['warn', '{ two: 2 }'],
    ['error', 'three'],
    ['debug', 'four'],
    ['info', 'five'],
    ['warn', 'six'],
  ])
})

it('fields of a line may hold what cannot cross a thread, and errors keep their codes', async () => {
  await using bench = await Bench.open()
  const station = await workIn(
    bench,
    `(_, { log }) => {
      log.warn('both', { call: () => 1, error: Object.assign(new Error('no'), { code: 'E_NO' }) })
      log.info(/odd/)
      log.info('null', null)
    }`,
  )
  const id = bench.send('hello')
  await bench.completed(id)
  const [first, second, third] = station.all('clink.log', id)
  expect(first).toMatchObject({ message: 'both', fields: { call: '[Function: call]', error: { code: 'E_NO' } } })
  expect(second).toMatchObject({ message: '/odd/' })
  expect(third).toMatchObject({ message: 'null' })
})

it('a refusal of the API is of the class and has the fields that it has inline', async () => {
  await using bench = await Bench.open()
  await workIn(
    bench,
    `async (_, { api }) => {
      const { ClinkApiError } = await import('clink-worker')
      const errors = await Promise.all([
        api.getGroup({ group_id: 'nowhere' }).catch((error) => error),
        api.sendClink({}).catch((error) => error),
      ])
      return errors.map((error) => [error instanceof ClinkApiError, error.status, error.mayHaveHappened, error.code])
    }`,
  )
  await bench.completed(bench.send('hello'))
  expect(answers(bench.emulator).map(({ content }) => JSON.parse(content) as unknown)).toEqual([
    [
      [true, 404, false, null],
      [false, null, null, 'USAGE'],
    ],
  ])
})

it('what it sends is known as ours: it is signed, and not worked when it comes back (P15)', async () => {
  await using bench = await Bench.open()
  const station = await workIn(
    bench,
    `async ({ group_id }, { api, hops }) => {
      const sent = await api.sendClink({ group_id, content: 'for anybody' })
      return JSON.stringify([api.url, api.sessionId, hops, sent.clink_id])
    }`,
  )
  const id = bench.send('hello')
  await bench.completed(id)
  const [url, sessionId, hops, sent] = JSON.parse(answers(bench.emulator)[0]?.content ?? '') as unknown[]
  expect([url, hops]).toEqual([bench.emulator.url, 0])
  expect(sessionId).toMatch(/^clink-worker-/)
  expect(bench.emulator.clink(String(sent))?.content).toMatch(/^for anybody\n\n?— clink-worker · hop 1$/)
  await station.seen('clink.parked', String(sent))
  expect([times(bench.emulator, String(sent), 'completed'), station.all('clink.started', String(sent))]).toEqual([
    0,
    [],
  ])
})

it('a call is given up when its own signal aborts', async () => {
  await using bench = await Bench.open()
  bench.fault({ operation: 'list_groups' }, { hang: 'before' })
  await workIn(
    bench,
    `async (_, { api }) => await api.listGroups({}, { signal: AbortSignal.timeout(300) }).catch((error) => error.failure)`,
  )
  await bench.completed(bench.send('hello'))
  expect(answers(bench.emulator)).toMatchObject([{ content: 'aborted' }])
})

it('code that is busy sees its abort when it looks at its signal', async () => {
  await using bench = await Bench.open()
  const target = await threadTargets({
    work: `(_, { signal }) => { while (!signal.aborted); throw new Error('seen: ' + signal.reason.code) }`,
  })
  const settings = { retry: { attempts: 1 }, handlers: { timeout: 500 } }
  const station = bench.work(() => {}, { target: target('work'), settings })
  const id = bench.send('hello')
  await station.seen('clink.deadLettered', id)
  const { error } = await station.seen('clink.ended', id)
  expect(error?.cause).toMatchObject({ message: 'seen: timeout' })
  expect(station.all('clink.stuck')).toEqual([])
})

it('a handler that writes without a pause is held up, and the worker goes on (P12)', async () => {
  await using bench = await Bench.open()
  const station = await workIn(bench, `() => { for (let n = 0; n < 20_000; n += 1) console.log('line %d', n) }`)
  const id = bench.send('hello')
  await bench.completed(id)
  const lines = station.all('clink.log', id)
  expect([lines.length, lines.at(-1)?.message]).toEqual([20_000, 'line 19999'])
  expect(station.all('worker.stoodStill')).toEqual([])
})

it('the key does not come into the thread (P13)', async () => {
  await using bench = await Bench.open()
  const directory = await directoryWith({})
  const file = join(directory, 'heap')
  await workIn(
    bench,
    `async (_, { api }) => {
      await api.listGroups()
      const v8 = await import('node:v8')
      globalThis.seen = 'known ' + 'text'
      v8.writeHeapSnapshot(${JSON.stringify(file)})
    }`,
  )
  await bench.completed(bench.send('hello'))
  const heap = await readFile(file, 'utf8')
  expect([heap.includes('known text'), heap.includes(bench.emulator.key)]).toEqual([true, false])
})
