import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { expect, it } from 'vitest'
import { Site } from '../support/command.ts'
import { listen } from '../support/loopback.ts'

const EXAMPLE = new URL('../../docs/examples/order.ts', import.meta.url)

it(
  'the example with steps orders once, though the shop fails in between, and answers when it is sent',
  { timeout: 60_000 },
  async () => {
    const asked: string[] = []
    const shop = createServer(({ headers, method }, response) => {
      asked.push(`${method} ${String(headers['idempotency-key'] ?? '')}`.trim())
      const looks = asked.filter((one) => one === 'GET').length
      response.writeHead(looks === 2 ? 500 : 200).end(method === 'POST' ? '7' : looks < 4 ? 'packed' : 'sent')
    })
    const url = await listen(shop)
    const handler = readFileSync(EXAMPLE, 'utf8')
    const config = `
routes:
  - { name: order, match: { content: { regex: '^order (?<part>\\w+)$' } }, use: ./handlers/work.ts, with: { shop: '${url}', wait: 1000 } }
retry: { backoff: 100ms }
`
    await using site = await Site.open({ handler, config })
    const { clink_id: id } = site.emulator.send('ops', 'order bolt', { from: 'bob' })
    const worker = site.start('run', '--once')
    expect(await worker.exited, worker.output).toBe(0)
    expect(asked).toEqual([`POST ${id}`, 'GET', 'GET', 'GET', 'GET'])
    shop.close()
    const contents = site.emulator.clinks().map(({ content }) => content)
    expect(contents.sort()).toEqual(['order 7 is on its way', 'order bolt', 'ordered, its number is 7'])
  },
)
