import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { requestsByHttp } from '../../src/control/by-http.ts'
import { requests } from '../../src/control/requests.ts'
import { ROOT } from '../support/documented.ts'
import { clink } from '../support/sample-records.ts'
import { letter, open } from '../support/states.ts'
import { TempDir } from '../support/temp-dir.ts'

const CONTENT = 'transfer 4711 to the account of Ann'

/** The requests of a state with so many dead letters, every third of them with an error that quotes its clink. */
async function stateWith(dir: TempDir, count: number, isContentShown = false) {
  const { ledger } = open(dir.path)
  await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const reason = n % 3 === 0 ? `cannot ${CONTENT}` : `the disk sd${n} of run ${n} is full`
      const failed = { ...letter, reason, errors: [reason], at: n, route: 'pay', notice: CONTENT }
      await ledger.deadLetter({ ...failed, clink: { ...clink, clink_id: `msg_${n}`, content: CONTENT } })
    }),
  )
  const byPath = requestsByHttp({ ledger, worker: undefined }, () => isContentShown)
  const ask = async (path: string, given: Record<string, unknown> | string = ''): Promise<unknown> =>
    await byPath.get(path)?.ask(typeof given === 'string' ? new URLSearchParams(given) : given)
  return { ask, byPath, ledger }
}

/** As it comes by JSON: a field, whatever its name means in JavaScript. */
function fieldOf(name: string): Record<string, unknown> {
  return JSON.parse(`{"${name}":{"route":"pay"}}`) as Record<string, unknown>
}

describe('the table of requests by HTTP', () => {
  it('is whole: each request has its path, and is changed by it only where the table says so', async () => {
    using dir = new TempDir()
    const { byPath } = await stateWith(dir, 0)
    const expected = Object.entries(requests).map(([name, { changes }]) => [name.replaceAll('.', '/'), changes])
    expect([...byPath].map(([path, { changes }]) => [path, changes])).toEqual(expected)
  })

  it('stands whole in docs/dashboard.md', async () => {
    using dir = new TempDir()
    const { byPath } = await stateWith(dir, 0)
    const page = readFileSync(join(ROOT, 'docs/dashboard.md'), 'utf8')
    const rows = [...page.matchAll(/^\| ((?:POST )?`[^|]*) \|/gm)].map(([, paths = '']) => paths)
    const told = rows.flatMap((row) =>
      [...row.matchAll(/`([^`]+)`/g)].map(([, path]) => `${row.startsWith('POST') ? 'POST ' : ''}${path}`),
    )
    const paths = [...byPath].map(([path, { changes }]) => `${changes ? 'POST ' : ''}${path}`)
    expect(told.toSorted()).toEqual([...paths, 'events'].toSorted())
  })

  it('reads what is no text in a query as JSON, and says what is wrong with the rest', async () => {
    using dir = new TempDir()
    const { ask } = await stateWith(dir, 3)
    const after = encodeURIComponent(JSON.stringify({ at: 0, id: 'msg_0' }))
    expect(await ask('failed/letters', `after=${after}&since=2`)).toMatchObject({
      rows: [{ clink: { clink_id: 'msg_2' } }],
    })
    await expect(ask('failed/letters', 'since=yesterday')).rejects.toThrow(/the request failed\.letters: .*since/s)
    expect(await ask('failed/letter', 'id=7')).toEqual({ rows: [] })
  })

  it('refuses a field that it does not know where something is changed, in one line', async () => {
    using dir = new TempDir()
    const { ask, ledger } = await stateWith(dir, 1)
    for (const path of ['pause', 'resume', 'drain', 'stop', 'cancel', 'reload', 'log-level', 'failed/retry'])
      for (const name of ['rout', '__proto__', 'constructor', 'toString'])
        await expect(ask(path, fieldOf(name)), path).rejects.toThrow(new RegExp(`the request .*: .*"${name}"`))
    await expect(ask('failed/alike', { act: 'discard', route: 'pay', kind: '', all: true })).rejects.toThrow('"all"')
    await expect(ask('pause', { for: 1e12 })).rejects.toThrow(/^the request pause: for: a year is the longest$/)
    expect(ledger.letters.count).toBe(1)
    expect(ledger.audit.all()).toEqual([])
  })

  it('refuses a parameter that it does not know where something is looked at, and one that is given twice', async () => {
    using dir = new TempDir()
    const { ask, byPath } = await stateWith(dir, 1)
    for (const [path, { changes }] of byPath)
      for (const name of changes ? ['request', 'content'] : ['rout', 'by', 'request', '__proto__'])
        await expect(ask(path, changes ? fieldOf(name) : `${name}=pay`), `${path} ${name}`).rejects.toThrow(
          name === 'content' ? /Unrecognized/ : new RegExp(`^the request .*"${name}"`),
        )
    await expect(ask('failed/letter', 'id=msg_0&id=msg_1')).rejects.toThrow('"id" is given twice')
    await expect(ask('failed/letter', 'id=msg_0&content=yes')).rejects.toThrow('content is true or false')
    expect(await ask('failed/letter', 'id=msg_0&content=false')).toMatchObject({ rows: [{ route: 'pay' }] })
  })

  it('leaves out what clinks say, and errors that quote it, unless somebody asks for it or log.content is set', async () => {
    using dir = new TempDir()
    const { ask } = await stateWith(dir, 3)
    for (const path of ['failed/letters', 'failed', 'failed/letter?id=msg_0', 'failed/late']) {
      const [name = '', query] = path.split('?')
      expect(JSON.stringify(await ask(name, query))).not.toContain('4711')
    }
    expect(await ask('failed/letter', 'id=msg_0')).toMatchObject({
      rows: [{ reason: expect.stringContaining('it quotes the clink'), errors: [expect.stringContaining('quotes')] }],
    })
    const { rows } = { rows: [{ clink: { content: CONTENT }, reason: `cannot ${CONTENT}` }] }
    expect(await ask('failed/letter', 'id=msg_0&content=true')).toMatchObject({ rows })
    using other = new TempDir()
    const shown = await stateWith(other, 1, true)
    expect(await shown.ask('failed/letter', 'id=msg_0')).toMatchObject({ rows })
  })

  it('has dead letters by route and kind, and acts on all of one kind, thousands of them', async () => {
    using dir = new TempDir()
    const { ask, ledger } = await stateWith(dir, 1_800)
    expect(await ask('failed')).toMatchObject({
      groups: [
        { route: 'pay', kind: 'the disk sd… of run … is full', count: 1_200, first: 1, last: 1_799 },
        { route: 'pay', kind: '(an error that quotes its clink)', count: 600 },
      ],
      leftOut: { groups: 0, letters: 0 },
    })
    const kind = 'the disk sd… of run … is full'
    expect(await ask('failed/alike', { act: 'discard', route: 'other', kind })).toEqual({
      done: 0,
      rerun: 0,
      elsewhere: 0,
      unknown: 0,
    })
    expect(await ask('failed/alike', { act: 'discard', route: 'pay', kind })).toMatchObject({ done: 1_200 })
    expect(ledger.letters.count).toBe(600)
    expect(await ask('failed')).toMatchObject({ groups: [{ count: 600 }] })
    // In commits of 500.
    expect(ledger.audit.all().map(({ act, by }) => [act, by])).toEqual([
      ['discard', 'HTTP'],
      ['discard', 'HTTP'],
      ['discard', 'HTTP'],
    ])
  })

  it('has the hundred largest groups of dead letters, and says how many it leaves out', async () => {
    using dir = new TempDir()
    const { ledger } = open(dir.path)
    const reasonOf = (n: number): string => (n < 30 ? 'the disk is full' : `no ${'x'.repeat(n)}`)
    for (let n = 0; n < 150; n += 1)
      await ledger.deadLetter({ ...letter, reason: reasonOf(n), at: n, clink: { ...clink, clink_id: `msg_${n}` } })
    const told = await requestsByHttp({ ledger, worker: undefined }, () => false)
      .get('failed')
      ?.ask({})
    expect(told).toMatchObject({ groups: { length: 100, 0: { count: 30 } }, leftOut: { groups: 21, letters: 21 } })
  })
})
