import { tryTo } from './try-to.ts'
import { isExempt, isLoopback } from './no-proxy.ts'
import { Secret } from './secret.ts'
import { withoutCredentials } from './web-address.ts'

/** What stands between us and a service. */
export interface ForwardProxy {
  /** As people are shown it: `http://proxy.example:3128`. */
  readonly address: string
  /** The variable that names it. */
  readonly from: string
  /** It is spoken to over TLS. */
  readonly isSecure: boolean
  /** A name, or an address without brackets. */
  readonly host: string
  readonly port: number
  /** Value of the `Proxy-Authorization` header. */
  readonly authorization: Secret | undefined
  /** The texts that give its password away. */
  readonly secrets: readonly Secret[]
}

export type ProxyChoice =
  | { readonly proxy: ForwardProxy }
  /** Why none is used; undefined: none is set. */
  | { readonly proxy: undefined; readonly why?: string }
  /** What is wrong with the value of a variable, reading on from it. */
  | { readonly proxy: undefined; readonly variable: string; readonly value: string; readonly problem: string }

/** In a sentence, without user and password. */
export function proxyProblem({ problem, value, variable }: Extract<ProxyChoice, { problem: string }>): string {
  return `${variable}: ${JSON.stringify(withoutCredentials(value))} ${problem}`
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The proxy for the requests to one address, from the variables that other programs read as well, in lower case first. Requests to this
 * machine itself have none.
 *
 * @param address of the service; it begins with http:// or https://.
 */
export function chooseProxy(address: string, env: Environment): ProxyChoice {
  const { hostname, port, protocol } = new URL(address)
  const scheme = protocol === 'https:' ? 'https' : 'http'
  const named = firstOf([`${scheme}_proxy`, 'all_proxy'], env)
  if (named === undefined) return { proxy: undefined }
  const host = withoutBrackets(hostname)
  if (isLoopback(host)) return { proxy: undefined, why: `${named.variable} is not used for this machine itself` }
  const exempt = firstOf(['no_proxy'], env)
  if (exempt !== undefined && isExempt(host, Number(port || (scheme === 'https' ? 443 : 80)), exempt.value)) {
    return { proxy: undefined, why: `${named.variable} is not used: ${exempt.variable} names ${host}` }
  }
  return readProxy(named)
}

function firstOf(names: readonly string[], env: Environment) {
  return names
    .flatMap((name) => [name, name.toUpperCase()])
    .map((variable) => ({ variable, value: (env[variable] ?? '').trim() }))
    .find(({ value }) => value !== '')
}

function readProxy({ variable, value }: NonNullable<ReturnType<typeof firstOf>>): ProxyChoice {
  const url = URL.parse(value.includes('://') ? value : `http://${value}`)
  if (url === null || url.hostname === '' || !['http:', 'https:'].includes(url.protocol)) {
    const problem =
      'is not the address of a proxy that can be used; write http://host:port, or name the host of Clink in NO_PROXY'
    return { proxy: undefined, variable, value, problem }
  }
  const isSecure = url.protocol === 'https:'
  const [user, password] = [url.username, url.password].map((text) => tryTo(() => decodeURIComponent(text)) ?? text)
  const pair = `${user}:${password}`
  const basic = Buffer.from(pair).toString('base64')
  const texts = password === '' ? [] : [password ?? '', url.password, pair, `${url.username}:${url.password}`, basic]
  return {
    proxy: {
      address: url.origin,
      from: variable,
      isSecure,
      host: withoutBrackets(url.hostname),
      port: Number(url.port || (isSecure ? 443 : 80)),
      authorization: user === '' && password === '' ? undefined : new Secret(`Basic ${basic}`),
      secrets: texts.map((text) => new Secret(text)),
    },
  }
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1')
}
