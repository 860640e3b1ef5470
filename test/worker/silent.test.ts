import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { EXIT, type ExitCode } from '../../src/base/coded-error.ts'
import { playSeed, type Played } from '../simulation/run-seed.ts'
import { answer, VirtualBench, type VirtualOptions } from '../support/virtual.ts'

const source = fileURLToPath(new URL('../../src', import.meta.url))
/** They turn events into text. */
const LISTENERS = /^(?:clink-logs\/|metrics\/|observe\/|overview\/|traces\/|events\.ts$|commands\/|testing\/)/

/** What can be seen of a play from outside. */
function seen({ record }: Played): unknown {
  return {
    requests: record.requests,
    readiness: record.readiness,
    exits: [...record.lives.values()].map(({ exit, name, stoppedAt }) => ({ name, exit, stoppedAt })),
  }
}

/** A run until the inbox is empty, with one clink in it. */
async function once(options: Partial<VirtualOptions>): Promise<unknown> {
  const bench = new VirtualBench({ once: {}, handle: async () => await Promise.resolve('done'), ...options })
  bench.send('work')
  const exits: ExitCode[] = []
  void bench.daemon.ended.then((exit) => exits.push(exit))
  for (let minutes = 0; exits.length === 0 && minutes < 60; minutes += 1) await bench.pass(60_000)
  return { exit: exits[0], totals: bench.daemon.totals(), readiness: bench.daemon.readiness(), sent: bench.sent }
}

describe('events only tell', () => {
  it('nobody but those who write them down looks at which event it is', () => {
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
    const looking = files.filter((file) => /\.event\b/.test(readFileSync(join(source, file), 'utf8')))
    expect(looking).toContain('commands/dev/dev.ts')
    expect(looking.filter((file) => !LISTENERS.test(file))).toEqual([])
  })

  it.each([2, 5, 7, 11, 29, 46, 47, 92, 101, 200])(
    'seed %i: workers to which nobody listens make the same requests, end in the same way and are as ready',
    { timeout: 60_000 },
    async (seed) => {
      const loud = await playSeed(seed)
      const silent = await playSeed(seed, { silentAs: loud })
      expect(loud.record.requests.length).toBeGreaterThan(10)
      expect(seen(silent)).toEqual(seen(loud))
    },
  )

  const away = { weather: () => answer(503) }
  const refused = { weather: () => answer(401) }
  const rejects = {
    settings: { retry: { attempts: 1 } },
    handle: async () => await Promise.reject(new Error('it cannot be done')),
  }
  const takesLong = {
    once: { maxTime: 2_000 },
    handle: async (...[, ctx, bench]: Parameters<VirtualOptions['handle']>) => await bench.take(100_000, ctx.signal),
  }
  it.each<[string, Partial<VirtualOptions>, ExitCode]>([
    ['all is done', {}, EXIT.ok],
    ['a clink is given up', rejects, EXIT.failed],
    ['the service is away', away, EXIT.unavailable],
    ['the key is refused', refused, EXIT.refused],
    ['--max-time is over', takesLong, EXIT.ok],
  ])(
    'a run until the inbox is empty ends with the same code, counts the same and is as ready: %s',
    async (_, options, exit) => {
      const loud = await once(options)
      expect(loud).toMatchObject({ exit })
      expect(await once({ ...options, isSilent: true })).toEqual(loud)
    },
  )
})
