import { describe, expect, it } from 'vitest'
import { isExempt } from '../../src/base/no-proxy.ts'
import { chooseProxy } from '../../src/base/proxy.ts'

function chosen(address: string, env: Readonly<Record<string, string>>): string | undefined {
  const { proxy } = chooseProxy(address, env)
  return proxy === undefined ? undefined : `${proxy.from} ${proxy.host}:${proxy.port}`
}

describe('the proxy of an address', () => {
  it('comes from the variable of its scheme, in either case, or from that for all', () => {
    const env = { HTTP_PROXY: 'http://a:1', HTTPS_PROXY: 'http://b:2', ALL_PROXY: 'http://c:3' }
    expect(chosen('http://clink.example', env)).toBe('HTTP_PROXY a:1')
    expect(chosen('https://clink.example/prefix', env)).toBe('HTTPS_PROXY b:2')
    expect(chosen('https://clink.example', { https_proxy: 'http://d:4' })).toBe('https_proxy d:4')
    expect(chosen('https://clink.example', { ...env, https_proxy: 'http://d:4' })).toBe('https_proxy d:4')
    expect(chosen('https://clink.example', { HTTP_PROXY: 'http://a:1', all_proxy: 'http://e:5' })).toBe('all_proxy e:5')
    expect(chosen('https://clink.example', { HTTP_PROXY: 'http://a:1' })).toBe(undefined)
    expect(chosen('https://clink.example', { https_proxy: ' ', HTTPS_PROXY: ' http://b:2/\n' })).toBe('HTTPS_PROXY b:2')
  })

  it.each([
    ['proxy:3128', 'HTTPS_PROXY proxy:3128'],
    ['http://proxy', 'HTTPS_PROXY proxy:80'],
    ['https://proxy', 'HTTPS_PROXY proxy:443'],
    ['HTTP://[::2]:3128/', 'HTTPS_PROXY ::2:3128'],
    ['bob:pass@proxy:3128', 'HTTPS_PROXY proxy:3128'],
  ])('may be written as %j', (value, expected) => {
    expect(chosen('https://clink.example', { HTTPS_PROXY: value })).toBe(expected)
  })

  it.each(['socks5://proxy:1080', 'http://', 'http://pro xy', 'ftp://bob:pass@proxy'])(
    'that cannot be used is a problem: %j',
    (value) => {
      expect(chooseProxy('https://clink.example', { HTTPS_PROXY: value })).toMatchObject({
        variable: 'HTTPS_PROXY',
        problem:
          'is not the address of a proxy that can be used; write http://host:port, or name the host of Clink in NO_PROXY',
      })
    },
  )

  it.each(['localhost', 'app.localhost', '127.0.0.1:8080', '127.9.9.9', '[::1]:8080'])('is none for %s', (host) => {
    expect(chooseProxy(`http://${host}`, { HTTP_PROXY: 'http://proxy', ALL_PROXY: 'http://proxy' })).toEqual({
      proxy: undefined,
      why: 'HTTP_PROXY is not used for this machine itself',
    })
  })

  it('is none where NO_PROXY names the host, which is said', () => {
    for (const name of ['NO_PROXY', 'no_proxy']) {
      expect(
        chooseProxy('https://clink.example', { HTTPS_PROXY: 'http://proxy', [name]: 'a.example,.example' }),
      ).toEqual({
        proxy: undefined,
        why: `HTTPS_PROXY is not used: ${name} names clink.example`,
      })
    }
  })

  it('shows its user and password nowhere but where they are asked for (P13)', () => {
    const { proxy } = chooseProxy('https://clink.example', { HTTPS_PROXY: 'http://bob:top%20secret@proxy:3128' })
    expect(JSON.stringify(proxy)).not.toMatch(/bob|top|Ym9i/)
    expect(proxy?.authorization?.reveal()).toBe(`Basic ${Buffer.from('bob:top secret').toString('base64')}`)
    expect(proxy?.secrets.map((secret) => secret.reveal())).toEqual(
      expect.arrayContaining(['top secret', 'top%20secret', 'bob:top%20secret', 'Ym9iOnRvcCBzZWNyZXQ=']),
    )
  })
})

describe('NO_PROXY', () => {
  it.each([
    ['clink.example', '*'],
    ['clink.example', 'other.example, *'],
    ['clink.example', 'clink.example'],
    ['CLINK.example.', 'clink.EXAMPLE'],
    ['clink.example', 'clink.example.'],
    ['clink.example', 'example'],
    ['clink.example', '.example'],
    ['clink.example', '*.example'],
    ['clink.example', 'other , .example'],
    ['clink.example', 'other .example'],
    ['clink.example', 'clink.example:443'],
    ['clink.example', '.example:443'],
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3:443'],
    ['fd00::1', 'fd00::1'],
    ['fd00::1', '[fd00::1]'],
    ['fd00::1', '[fd00:0::1]:443'],
    ['fd00::1', 'fd00::/8'],
  ])('takes %s out with %j', (host, list) => {
    expect(isExempt(host, 443, list)).toBe(true)
  })

  it.each([
    ['clink.example', ''],
    ['clink.example', ' , '],
    ['clink.example', 'link.example'],
    ['clink.example', 'other.clink.example'],
    ['clink.example', 'clink.example:80'],
    ['clink.example', '.'],
    ['clink.example', '10.0.0.0/8'],
    ['10.1.2.3', '11.0.0.0/8'],
    ['10.1.2.3', '10.1.2.4'],
    ['10.1.2.3', '10.0.0.0/99'],
    ['10.1.2.3', '10.0.0.0/'],
    ['10.1.2.3', 'fd00::/8'],
    ['fd00::1', '[fd00::1]:80'],
    ['fd00::1', 'fd00::2'],
  ])('leaves %s alone with %j', (host, list) => {
    expect(isExempt(host, 443, list)).toBe(false)
  })
})
