import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { HandlerAborted, isControl, makeControl, type HandlerContext } from '../../src/handlers/handler.ts'
import type { HandlerSet } from '../../src/handlers/registry.ts'
import { answer, clink, configOf, load } from '../support/handler-files.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The example handlers as they are shipped, loaded as the worker loads them. */
async function examples(): Promise<HandlerSet> {
  const config: Config = await configOf(ROOT)
  return await load(ROOT, { config })
}

const log = { debug() {}, info() {}, warn() {}, error() {} }

function context(parts: Partial<HandlerContext> = {}): Partial<HandlerContext> {
  return {
    log,
    signal: new AbortController().signal,
    draining: new AbortController().signal,
    reject: (reason) => makeControl({ kind: 'reject', reason }),
    release: (reason = '') => makeControl({ kind: 'release', reason }),
    ...parts,
  }
}

describe('the example handlers', () => {
  it('answer.ts takes what the others do not, and says what it saw', async () => {
    const set = await examples()
    expect(set.routes.map(({ name }) => name)).toEqual(['disk', 'report', 'answer'])
    const text = await answer(set, clink({ content: ' three  short words ', group_name: 'Operations' }), context())
    expect(text).toContain('Hello Alice')
    expect(text).toContain('You wrote 3 words to Operations at 2026-01-01T00:00:00Z.')
    expect(await answer(set, clink({ content: 'one' }), context())).toContain('You wrote 1 word to ops')
  })

  it('disk.ts answers with what df says', async () => {
    const text = await answer(await examples(), clink({ content: 'disk /tmp' }), context())
    expect(text).toMatch(/^\/tmp: \d+\.\d of \d+\.\d GB used \(\d+%\)$/)
    expect(await answer(await examples(), clink({ content: 'Disk' }), context())).toMatch(/^\/: /)
  })

  it('disk.ts rejects a path that is not there', async () => {
    const result = await answer(await examples(), clink({ content: 'disk /no/such/path' }), context())
    expect(result).toMatchObject({ kind: 'reject', reason: 'df cannot look at /no/such/path' })
    expect(isControl(result)).toBe(true)
  })

  it('disk.ts leaves anything that is not a plain path to others', async () => {
    const set = await examples()
    const route = async (content: string): Promise<string | undefined> =>
      (await set.find(clink({ content }), undefined))?.match.route
    const texts = ['disk', 'disk /var/log', 'disk ; rm -rf /', 'disk $(id)', 'diskette']
    expect(await Promise.all(texts.map(route))).toEqual(['disk', 'disk', 'answer', 'answer', 'answer'])
  })

  it('disk.ts ends its program with the run', async () => {
    const aborted = AbortSignal.abort(new HandlerAborted('timeout', 'over'))
    await expect(answer(await examples(), clink({ content: 'disk' }), context({ signal: aborted }))).rejects.toThrow(
      /abort/,
    )
  })

  it('report.ts works in steps and tells the group when it is half done', async () => {
    const replies: unknown[] = []
    const steps: unknown[] = []
    const parts = context({
      with: { stepSeconds: 0 },
      log: { ...log, info: (_message, fields) => steps.push(fields) },
      reply: async (...reply) => {
        replies.push(reply)
        return 'msg_2'
      },
    })
    expect(await answer(await examples(), clink({ content: 'report 3' }), parts)).toBe('Report finished: 3 steps')
    expect(steps).toEqual([1, 2, 3].map((step) => ({ step, steps: 3 })))
    expect(replies).toEqual([['Report for Alice: 2 of 3 steps done', { to: 'group' }]])
  })

  it('report.ts goes back to the inbox between two steps when the worker stops', async () => {
    const draining = new AbortController()
    const parts = context({
      with: { stepSeconds: 0 },
      draining: draining.signal,
      log: { ...log, info: () => draining.abort() },
    })
    const result = await answer(await examples(), clink({ content: 'report 4' }), parts)
    expect(result).toMatchObject({ kind: 'release', reason: 'the worker is stopping' })
  })

  it('report.ts ends in the middle of a step when its signal aborts', async () => {
    const abort = new AbortController()
    const running = answer(
      await examples(),
      clink({ content: 'report 1' }),
      context({ signal: abort.signal, with: { stepSeconds: 600 } }),
    )
    abort.abort()
    await expect(running).rejects.toMatchObject({ code: 'ABORT_ERR' })
  })

  it.each(['report 0', 'report 21'])('report.ts rejects %s', async (content) => {
    expect(await answer(await examples(), clink({ content }), context())).toMatchObject({
      kind: 'reject',
      reason: 'a report has 1 to 20 steps',
    })
  })
})
