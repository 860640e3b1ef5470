import { expect, test } from 'vitest'
import { handler, logLines, Site } from '../../support/site.ts'

const waits = `await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)))`

test.each([
  ['an uncaught error', `setTimeout(() => { throw new Error('stray') }, 0)`],
  ['an unhandled rejection', `void Promise.reject(new Error('stray'))`],
  ['several of them', `for (const n of [1, 2, 3]) setTimeout(() => { throw new Error('stray') }, 0)`],
])('%s of a handler is said once, with its file; what is held is given back; 70', async (_name, fault) => {
  await using site = await Site.start({ 'handlers/h.js': handler(`${fault}\n${waits}`) })
  const { clink_id: id } = site.emulator.send('ops', 'hello')
  await using worker = site.run()
  expect(await worker.ended).toMatchObject({ code: 70, stderr: '' })
  const failures = logLines(worker.stdout).filter(({ event }) => event === 'worker.failed')
  expect(failures).toMatchObject([{ level: 'fatal', part: 'code of handlers/h.js', error: { message: 'stray' } }])
  expect(site.emulator.clink(id)).toMatchObject({ status: 'pending' })
})

/** Errors that nobody can look at without harm. */
const HOSTILE = `
const boom = () => { throw new Error('looked at') }
const hostile = {
  'a stack that is a number': Object.assign(new Error('x'), { stack: 42 }),
  'a stack that is a symbol': Object.assign(new Error('x'), { stack: Symbol('s') }),
  'getters that throw': Object.defineProperties(new Error('x'), {
    message: { get: boom }, stack: { get: boom }, name: { get: boom }, cause: { get: boom }, code: { get: boom },
  }),
  'a message that throws at the second look': ((n) => Object.defineProperty(new Error('x'), 'message', {
    get: () => (n++ > 0 ? boom() : 'once'),
  }))(0),
  'a proxy whose traps throw': new Proxy(new Error('x'), { get: boom, has: boom, getPrototypeOf: boom, ownKeys: boom, getOwnPropertyDescriptor: boom }),
  'a revoked proxy': ((made) => (made.revoke(), made.proxy))(Proxy.revocable(new Error('x'), {})),
  'null': null,
  'undefined': undefined,
  'an object without a prototype': Object.assign(Object.create(null), { toString: boom }),
  'a hostile cause': new Error('x', { cause: new Proxy({}, { get: boom, getPrototypeOf: boom }) }),
  'errors that are none': Object.assign(new AggregateError([], 'x'), { errors: [new Proxy({}, { getPrototypeOf: boom, ownKeys: boom })] }),
}
`
const NAMES = [...HOSTILE.matchAll(/^ {2}'(.*?)':/gm)].map(([, name = '']) => name)

test.each(
  NAMES.map((name, n) =>
    n % 2 === 0
      ? ([name, 'from a timer', 'setTimeout(() => { throw value }, 0)'] as const)
      : ([name, 'as a rejection', 'void Promise.reject(value)'] as const),
  ),
)('%s, thrown %s: what is held is given back, it is said, and the process ends with 70', async (name, _how, fault) => {
  const code = `${HOSTILE}\n${handler(`const value = hostile[${JSON.stringify(name)}]\n${fault}\n${waits}`)}`
  await using site = await Site.start({ 'handlers/h.js': code })
  const { clink_id: id } = site.emulator.send('ops', 'hello')
  await using worker = site.run()
  expect(await worker.ended).toMatchObject({ code: 70, stderr: '' })
  const failures = logLines(worker.stdout).filter(({ event }) => event === 'worker.failed')
  expect(failures).toMatchObject([{ level: 'fatal', error: { message: expect.any(String) } }])
  expect(site.emulator.clink(id)).toMatchObject({ status: 'pending' })
})

test('what a handler throws or logs, however hostile, fails its clink and nothing else', async () => {
  const code = `${HOSTILE}\n${handler(`
    if (clink.content === 'fine') return 'fine'
    const value = hostile[clink.content]
    ctx.log.warn('look', { value, list: [value] })
    ctx.log.warn(value, value)
    throw value
  `)}`
  await using site = await Site.start({ 'handlers/h.js': code })
  // In turn: a route where all fails would be paused.
  const fine = NAMES.map((name) => {
    site.emulator.send('ops', name)
    return site.emulator.send('ops', 'fine').clink_id
  })
  await using worker = site.run('--once', '--set', 'retry.attempts=1')
  expect(await worker.ended).toMatchObject({ code: 1, stderr: '' })
  expect(fine.map((id) => site.emulator.clink(id)?.status)).toEqual(fine.map(() => 'completed'))
  const letters = logLines(worker.stdout).filter(({ event }) => event === 'clink.deadLettered')
  expect(letters).toHaveLength(NAMES.length)
  expect(logLines(worker.stdout).filter(({ event }) => event === 'worker.failed' || event === 'event.unheard')).toEqual(
    [],
  )
})

test.each([
  ['leaks a rejection', `void Promise.reject(new Error('stray'))`, 70, 'pending'],
  ['throws from a timer', `setTimeout(() => { throw new Error('stray') }, 0)`, 70, 'pending'],
  ['ends the process as if all were well', `process.exit(0)`, 70, 'claimed'],
  ['sends KILL to the process', `process.kill(process.pid, 'SIGKILL')`, null, 'claimed'],
])('P9, §4: a handler that %s counts as a crash at the next start', async (_name, fault, code, left) => {
  // The second process does not run into it again.
  const once = `import { existsSync, writeFileSync } from 'node:fs'\n${handler(`
    if (existsSync('marker')) return 'done'
    writeFileSync('marker', '')
    ${fault}
    ${waits}
  `)}`
  await using site = await Site.start({ 'handlers/h.js': once })
  const { clink_id: id } = site.emulator.send('ops', 'hello')
  await using first = site.run()
  expect(await first.ended).toMatchObject({ code, stderr: '' })
  expect(site.emulator.clink(id)?.status).toBe(left)
  await using second = site.run()
  await second.said(/clink\.completed/)

  const crashes = logLines(second.stdout).filter(({ event }) => event === 'worker.crashed')
  expect(crashes).toMatchObject([{ crashes: 1 }])
  expect(site.emulator.clink(id)?.status).toBe('completed')
})

test('§4: a handler that ends the process is named, and that is no end in order', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler('process.exit(0)') })
  site.emulator.send('ops', 'hello')
  await using worker = site.run()
  expect(await worker.ended).toMatchObject({ code: 70, stderr: '' })
  expect(logLines(worker.stdout).at(-1)).toMatchObject({
    level: 'fatal',
    event: 'worker.failed',
    part: 'code of handlers/h.js',
    error: { message: 'the process was ended with code 0 while the worker ran' },
  })
})

test('an uncaught error while handlers are loaded ends with 70', async () => {
  await using site = await Site.start({
    'handlers/h.js': `setTimeout(() => { throw new Error('stray') }, 0)\nawait new Promise((resolve) => setTimeout(resolve, 20_000))`,
  })
  await using worker = site.run()
  const { code, stderr } = await worker.ended
  expect(code).toBe(70)
  expect(stderr).toContain('stray')
})

test('a log that nobody reads any more ends the worker in order, in silence, and not with 0', async () => {
  await using site = await Site.start({ 'handlers/h.js': handler(`return 'x'`) })
  await using worker = site.run()
  await worker.said(/worker\.ready/)
  worker.closeOutput()
  const { clink_id: id } = site.emulator.send('ops', 'hello')
  expect(await worker.ended).toMatchObject({ code: 1, stderr: '' })
  expect(site.emulator.clink(id)?.status).not.toBe('claimed')
})
