/** A host as an address of the web has it: one of IPv6 stands in brackets. */
export function inAddress(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Whether a server under this host, as an address has it, is asked from the same machine only. */
export function isLoopbackName(name: string): boolean {
  return LOOPBACK.test(name)
}
