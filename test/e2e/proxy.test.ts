import { createServer } from 'node:https'
import { request } from 'node:http'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { NAMED, selfSigned } from '../support/certificate.ts'
import { listen } from '../support/loopback.ts'
import { ProxyServer } from '../support/proxy-server.ts'
import { Site } from '../support/command.ts'

const handler = `export default () => 'worked'`
const config = 'poll: { interval: 50ms, maxInterval: 100ms }'
const PASSWORD = 'correct-horse'
/** Where a proxy is the only way: no name server knows it. */
const ELSEWHERE = `http://${NAMED}`

describe('by way of a proxy', () => {
  it('the worker works, and says which one; its password is in nothing that is said (P13)', async () => {
    await using site = await Site.open({ handler, config })
    await using proxy = await ProxyServer.start({ credentials: `bob:${PASSWORD}`, onwardTo: site.emulator.url })
    const own = { CLINK_API_URL: ELSEWHERE, HTTP_PROXY: proxy.url.replace('//', `//bob:${PASSWORD}@`) }
    const [id = ''] = site.sendMany(1)
    const worker = site.startWith(own, 'run', '--once', '--max-time', '20s', '--log-level', 'trace')
    expect(await worker.exited, worker.output).toBe(0)
    expect(site.emulator.clink(id)).toMatchObject({ status: 'completed' })
    expect(worker.output).toContain(`"proxy":"${proxy.url}"`)

    const check = site.startWith(own, 'check', '--online')
    expect(await check.exited, check.output).toBe(0)
    expect(check.output).toMatch(RegExp(`proxy +ok +${proxy.url}, from HTTP_PROXY`))

    const wrong = { ...own, HTTP_PROXY: proxy.url.replace('//', '//bob:battery-staple@') }
    const refused = site.startWith(wrong, 'check', '--online')
    expect(await refused.exited, refused.output).toBe(69)
    expect(refused.output).toContain(`the proxy ${proxy.url} refuses: 407`)
    expect(worker.output + check.output + refused.output).not.toMatch(/correct-horse|battery-staple|Ym9i/)
  })

  it('over TLS with a certificate of one’s own, in a tunnel', async () => {
    await using site = await Site.open({ handler, config })
    const certificate = selfSigned()
    const file = join(site.directory, 'own.pem')
    await writeFile(file, certificate.cert)
    const front = createServer(certificate, (incoming, outgoing) => {
      const { headers, method, url } = incoming
      const passed = request(`${site.emulator.url}${url}`, { method, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      incoming.pipe(passed)
    })
    await using proxy = await ProxyServer.start({ onwardTo: await listen(front, 'https') })
    const [id = ''] = site.sendMany(1)
    const own = { CLINK_API_URL: `https://${NAMED}/`, https_proxy: proxy.url, NODE_EXTRA_CA_CERTS: file }
    const worker = site.startWith(own, 'run', '--once', '--max-time', '20s')
    expect(await worker.exited, worker.output).toBe(0)
    expect(site.emulator.clink(id)).toMatchObject({ status: 'completed' })
    expect(new Set(proxy.asked)).toEqual(new Set([`CONNECT ${NAMED}:443`]))
    front.close()
    front.closeAllConnections()
  })

  it('is not gone where NO_PROXY says so, nor to this machine itself, which check says', async () => {
    await using site = await Site.open({ handler, config })
    const own = { HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: 'other.example' }
    const check = site.startWith(own, 'check', '--online')
    expect(await check.exited, check.output).toBe(0)
    expect(check.output).toContain('none: HTTP_PROXY is not used for this machine itself')
    const elsewhere = site.startWith({ ...own, CLINK_API_URL: ELSEWHERE, NO_PROXY: NAMED }, 'check', '--online')
    expect(await elsewhere.exited).toBe(69)
    expect(elsewhere.output).toContain(`none: HTTP_PROXY is not used: NO_PROXY names ${NAMED}`)
  })

  it('whose address is none is an error at the start that hides its password', async () => {
    await using site = await Site.open({ handler, config })
    const own = { CLINK_API_URL: ELSEWHERE, HTTP_PROXY: `socks5://bob:${PASSWORD}@proxy:1080` }
    const worker = site.startWith(own, 'run')
    expect(await worker.exited).toBe(78)
    expect(worker.output).toBe(
      'clink-worker: environment HTTP_PROXY: "socks5://…@proxy:1080" is not the address of a proxy that can be used; write http://host:port, or name the host of Clink in NO_PROXY\n',
    )
  })
})
