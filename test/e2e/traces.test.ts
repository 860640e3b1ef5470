import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { Cli } from '../support/cli.ts'
import { handler, Site } from '../support/site.ts'

const EXAMPLE = new URL('../../docs/examples/tracing.mjs', import.meta.url).href

interface Exported {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
}

/** A collector on this machine: where it is, and the spans that it was sent. */
async function collector() {
  const spans: Exported[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the exporter's
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
        resourceSpans: { scopeSpans: { spans: Exported[] }[] }[]
      }
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens by TCP
  return { spans, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

test('§7: the example exports what a worker traces, also what is left when it ends', async () => {
  const { spans, url } = await collector()
  await using site = await Site.start({
    'handlers/work.js': handler('if (ctx.attempt === 1) throw new Error("no luck")\nreturn "all well"'),
  })
  site.emulator.send('ops', 'my secret', { from: 'bob' })
  const env = { ...site.env(), NODE_OPTIONS: `--import ${EXAMPLE}`, OTEL_EXPORTER_OTLP_ENDPOINT: url }
  await using worker = new Cli(['run', '--once', '--set', 'retry.backoff=10ms'], { cwd: site.dir.path, env })
  const { code, stderr } = await worker.ended
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  const named = (name: string): Exported[] => spans.filter((span) => span.name === name)
  expect(named('claim ops')).toHaveLength(1)
  expect(named('process ops')).toHaveLength(2)
  const [, last] = named('process ops')
  expect(named('complete ops')).toMatchObject([{ parentSpanId: last?.spanId, traceId: last?.traceId }])
  expect(JSON.stringify(spans)).not.toMatch(/secret|luck|all well|bob/)
})
