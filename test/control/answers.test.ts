import { expect, it } from 'vitest'
import { reachLetters } from '../../src/commands/failed/letters.ts'
import { linkToWorker } from '../../src/control/client.ts'
import { answer } from '../../src/control/requests.ts'
import { ControlSocket } from '../../src/control/server.ts'
import { clink } from '../support/sample-records.ts'
import { TempDir } from '../support/temp-dir.ts'
import { letter, open } from '../support/states.ts'

async function connect(directory: string) {
  const link = await linkToWorker(directory)
  if (link instanceof Error) throw link
  return link
}

const rowsOf = (page: unknown): number =>
  typeof page === 'object' && page !== null && 'rows' in page && Array.isArray(page.rows) ? page.rows.length : -1

it('an answer that cannot be written is an error to whoever asked, and ends nothing', async () => {
  using directory = new TempDir()
  const answers = [7n, { ok: true, reasons: [] }]
  const socket = new ControlSocket({
    directory: directory.path,
    answer: async () => await Promise.resolve(answers.shift()),
  })
  await socket.start()
  const link = await connect(directory.path)
  await expect(link.ask('health.live', {})).rejects.toThrow(/BigInt/)
  expect(await link.ask('health.live', {})).toEqual({ ok: true, reasons: [] })
  await link.close()
  await socket.stop()
})

it('an answer is whole, whatever ends a line elsewhere stands in its texts', async () => {
  using directory = new TempDir()
  const state = open(directory.path)
  const content = 'one\u2028two\u2029three\r\nfour\u0085five'
  await state.ledger.deadLetter({ ...letter, clink: { ...clink, content } })
  const asked = { ledger: state.ledger, worker: undefined }
  const socket = new ControlSocket({ directory: directory.path, answer: (request) => answer(request, asked) })
  await socket.start()
  const link = await connect(directory.path)
  for (let n = 0; n < 2; n += 1) {
    const { rows } = await link.ask('failed.letter', { id: clink.clink_id })
    expect(rows.map((one) => one.clink.content)).toEqual([content])
  }
  await link.close()
  await socket.stop()
  state.close()
})

it('dead letters and late results come in pages of 500, each once and in their order', async () => {
  using directory = new TempDir()
  const state = open(directory.path)
  const count = 1_203
  const ids = Array.from({ length: count }, (_, n) => `msg_${n}`)
  // Many of them at the same time.
  await Promise.all(
    ids.map(async (id, n) => {
      await state.ledger.deadLetter({ ...letter, at: Math.floor(n / 400), clink: { ...clink, clink_id: id } })
    }),
  )
  const late = { clink, route: 'r', why: 'late', outcome: 'done', response: 'x'.repeat(10_000) } as const
  for (let n = 0; n < 600; n += 1) await state.ledger.late.keep({ ...late, attempt: n, at: n })
  const asked = { ledger: state.ledger, worker: undefined }
  const sizes: number[] = []
  const socket = new ControlSocket({
    directory: directory.path,
    answer: async (request) => {
      const page = await answer(request, asked)
      sizes.push(rowsOf(page))
      return page
    },
  })
  await socket.start()
  const failed = await reachLetters({ directory: directory.path, sync: 'normal' })
  const letters = await failed.letters({}, (one) => one)
  expect(sizes).toEqual([500, 500, 203])
  expect(letters.map(({ at }) => at)).toEqual(letters.map(({ at }) => at).toSorted((a, b) => a - b))
  expect(letters.map((one) => one.clink.clink_id).toSorted()).toEqual(ids.toSorted())
  expect(await failed.late({}, ({ attempt }) => attempt)).toEqual(Array.from({ length: 600 }, (_, n) => n))
  // By their text, too: no answer keeps the worker from everything else.
  expect(Math.max(...sizes.slice(3))).toBeLessThan(300)
  await failed.close()
  await socket.stop()
  state.close()
})

it('of very many dead letters only those that are chosen are told, a page at a time, and one alone without the others', async () => {
  using directory = new TempDir()
  const state = open(directory.path)
  await Promise.all(
    Array.from({ length: 2_600 }, async (_, n) => {
      const reason = n === 2_100 ? 'ECONNREFUSED here' : 'it failed'
      await state.ledger.deadLetter({ ...letter, reason, errors: [], at: n, clink: { ...clink, clink_id: `msg_${n}` } })
    }),
  )
  const asked = { ledger: state.ledger, worker: undefined }
  const sizes: number[] = []
  const socket = new ControlSocket({
    directory: directory.path,
    answer: async (request) => {
      const page = await answer(request, asked)
      sizes.push(rowsOf(page))
      return page
    },
  })
  await socket.start()
  const failed = await reachLetters({ directory: directory.path, sync: 'normal' })
  expect(await failed.letters({ error: 'econnrefused' }, ({ clink: one }) => one.clink_id)).toEqual(['msg_2100'])
  expect(sizes.splice(0)).toEqual([0, 0, 0, 0, 1, 0])
  expect([(await failed.letter('msg_7'))?.at, await failed.letter('nobody')]).toEqual([7, undefined])
  expect(sizes).toEqual([1, 0])
  await failed.close()
  await socket.stop()
  state.close()
})

it('says which request it does not know, and what one of its own lacks', async () => {
  using directory = new TempDir()
  const state = open(directory.path)
  const asked = { ledger: state.ledger, worker: undefined }
  await expect(answer({ request: 'toString' }, asked)).rejects.toThrow(/"toString" is not a request/)
  await expect(answer('nonsense', asked)).rejects.toMatchObject({ code: 'USAGE' })
  await expect(answer({ request: 'failed.letter' }, asked)).rejects.toThrow(/the request failed\.letter: .*id/s)
  await expect(answer({ request: 'health.live' }, asked)).rejects.toMatchObject({ code: 'STATE_UNAVAILABLE' })
  state.close()
})
