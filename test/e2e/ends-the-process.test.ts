import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { until } from '../support/until.ts'
import { Site } from '../support/command.ts'

const config = `
poll: { interval: 50ms, maxInterval: 200ms }
retry: { attempts: 50, backoff: 50ms, maxBackoff: 100ms }
server: { enabled: false }
`
const note =
  "import { appendFileSync } from 'node:fs'\nconst note = (text) => appendFileSync(process.env.NOTES, `${text}\\n`)\n"

describe('P9, §4: a clink whose text a pattern never gets done with', () => {
  it('is a dead letter, goes to no later route, and keeps nobody else waiting', async () => {
    const handler = `${note}
export default {
  match: { content: /^(a+)+$/ },
  handle: ({ content }) => { note('pattern ' + content) },
}
`
    await using site = await Site.open({ config, handler })
    const rest = `${note}
let last = performance.now()
setInterval(() => {
  const waited = performance.now() - last
  last = performance.now()
  if (waited > 100) note('waited ' + waited)
}, 10).unref()
export default ({ content }) => { note('rest ' + content) }
`
    await writeFile(join(site.directory, 'handlers/rest.ts'), rest)
    const evil = site.emulator.send('ops', `${'a'.repeat(60)}!`, { from: 'bob' }).clink_id
    for (let n = 0; n < 50; n += 1) {
      site.emulator.send('ops', 'aaa', { from: 'bob' })
      site.emulator.send('ops', 'other', { from: 'bob' })
    }
    const worker = site.start('run', '--once')
    expect(await worker.exited).toBe(1)
    const noted = await site.noted()
    const waits = noted.filter((line) => line.startsWith('waited ')).map((line) => Number(line.slice(7)))
    const worked = noted.filter((line) => !line.startsWith('waited '))
    expect(worked.toSorted()).toEqual([...Array(50).fill('pattern aaa'), ...Array(50).fill('rest other')])
    // The loop goes on meanwhile.
    expect(Math.max(...waits)).toBeLessThan(300)
    const shown = site.start('failed', 'show', evil)
    expect(await shown.exited).toBe(0)
    expect(shown.output).toContain('match-timeout')
  })
})

describe('P9, §4: a clink that ends the process a moment after its run', () => {
  it('is found out and becomes a dead letter; one beside it is done', async () => {
    const handler = `${note}
export default async ({ content }) => {
  note(content)
  if (content !== 'evil') return
  setTimeout(() => { throw new Error('left behind') }, 300)
  throw new Error('this time it failed')
}
`
    await using site = await Site.open({ config, handler })
    const evil = site.emulator.send('ops', 'evil', { from: 'bob' }).clink_id
    const good = site.emulator.send('ops', 'good', { from: 'bob' }).clink_id
    let lives = 0
    let worker = site.start('run')
    const isFound = (): boolean => /"event":"clink.deadLettered","clink":"[^"]+"/.test(worker.output)
    while (lives < 10 && !isFound()) {
      let hasEnded = false
      void worker.exited.then(() => (hasEnded = true))
      await until(() => hasEnded || isFound(), 'it ends, or has found out', 60_000)
      if (!hasEnded) break
      lives += 1
      worker = site.start('run')
    }
    await until(isFound, 'the clink is found out', 60_000)
    expect(worker.output).toContain(`"clink":"${evil}"`)
    expect(worker.output).toMatch(/the process ended 3 times while this clink ran alone/)
    expect(lives).toBeLessThanOrEqual(5)
    expect(site.emulator.clink(good)?.status).toBe('completed')
  })
}, 180_000)
