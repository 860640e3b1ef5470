import { chmodSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { Site } from '../support/command.ts'
import { buildImage, Container, needImages, USER } from '../support/image.ts'
import { until } from '../support/until.ts'

const handler = `
import { defineHandler } from 'clink-worker'

export default defineHandler(async (clink, ctx) => {
  if (clink.content === 'quick') return 'done'
  await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve))
  throw ctx.signal.reason
})
`

it(
  'the image builds; its worker is process 1, not root, writes to its volume only, tells probes, and drains on TERM (P8, §8)',
  { timeout: 600_000 },
  async (context) => {
    needImages(context)
    const image = buildImage()
    console.log(image.printed)
    expect(image.printed).toMatch(/: [\d.]+ MB$/)
    expect(image.config).toMatchObject({
      User: `${USER}:${USER}`,
      Volumes: { '/var/lib/clink-worker': {} },
      Healthcheck: { Test: ['CMD', 'clink-worker', 'health', 'live'] },
    })

    await using site = await Site.open({ handler, config: 'shutdown: { timeout: 5s, drain: 1s }\n' })
    // What is mounted is root's, and may be read.
    chmodSync(site.directory, 0o755)
    await using container = new Container(image, site.directory, {
      ...site.env,
      CLINK_WORKER_CONFIG: 'clink-worker.yaml',
    })
    const [quick, long] = ['quick', 'long'].map((text) => site.emulator.send('ops', text, { from: 'alice' }).clink_id)
    await until(
      () => [quick, long].map((id = '') => site.emulator.clink(id)?.status).join() === 'completed,claimed',
      () => `it works:\n${container.output}`,
    )
    const [, ...ids] = /^Uid:\s+(\d+)\s+(\d+)/m.exec(readFileSync(`/proc/${container.pid}/status`, 'utf8')) ?? []
    expect(ids.map(Number)).toEqual([USER, USER])
    expect(container.exec('cat', '/proc/1/cmdline').output).toContain('cli.js\0run')
    expect(container.exec('clink-worker', 'health', 'live')).toEqual({ status: 0, output: 'alive\n' })
    expect(container.exec('touch', '/app/dist/cli.js').status).not.toBe(0)
    expect(container.exec('touch', '/tmp/note').status).not.toBe(0)
    expect(container.exec('touch', '/var/lib/clink-worker/note').status).toBe(0)

    process.kill(container.pid, 'SIGTERM')
    expect(await container.ended).toBe(0)
    expect(site.emulator.clink(long ?? '')?.status).toBe('pending')
  },
)
