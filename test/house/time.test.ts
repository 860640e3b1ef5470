import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const source = fileURLToPath(new URL('../../src', import.meta.url))

/** The emulator is another program; it shares no reader of times with the worker, so that the two cannot be wrong together. */
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.startsWith('emulator/'))
  .sort()

/** Lines of code, without comments, in which `what` stands, outside the files that may have it. */
function linesWith(what: RegExp, allowed: readonly string[]): string[] {
  return files
    .filter((file) => !allowed.includes(file))
    .flatMap((file) => {
      const code = readFileSync(join(source, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, (comment) =>
        comment.replaceAll(/[^\n]/g, ''),
      )
      return code.split('\n').flatMap((line, index) => (what.test(line) ? [`${file}:${index + 1} ${line.trim()}`] : []))
    })
}

it('one file reads the times of the service: elsewhere a time without a zone would be local (§0)', () => {
  expect(linesWith(/Date\.parse|new Date\([^)]*(_at|At\b|text|time\b)/, ['base/time-text.ts'])).toEqual([])
})

it('no handler takes the clocks and timers of the worker with it: where it matters they are those of its start (§2)', () => {
  const matters = /^(base|clink|control|daemon|host|journal|keys|ledger|worker|observe)\b/
  const found = linesWith(
    /Date\.now|performance\.|process\.hrtime|\buptime\(\)\s*\*|AbortSignal\.timeout|new Date\(\)/,
    ['base/host-time.ts', 'host/watchdog.ts'],
  )
  expect(found.filter((line) => matters.test(line))).toEqual([])
  const unheld = files.filter((file) => {
    const code = readFileSync(join(source, file), 'utf8')
    const uses = /(?<![.\w])set(Timeout|Interval|Immediate)\(/.test(code)
    return matters.test(file) && file !== 'host/watchdog.ts' && uses && !code.includes('/host-time.ts')
  })
  expect(unheld.filter((file) => file !== 'base/clock.ts')).toEqual([])
})
