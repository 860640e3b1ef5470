import { BlockList, isIP } from 'node:net'

/**
 * Whether `NO_PROXY` takes a host out, read as curl and Go read it: entries separated by commas or blanks; `*` is everything; a name is
 * itself and all below it, with or without a leading dot; an address is itself, a network in the form 10.0.0.0/8 all in it; an entry
 * with a port counts for that port only.
 *
 * @param host a name, or an address without brackets.
 */
export function isExempt(host: string, port: number, list: string): boolean {
  const entries = list.split(/[\s,]+/).filter((entry) => entry !== '')
  return entries.some((entry) => covers(entry.toLowerCase(), host.toLowerCase().replace(/\.$/, ''), port))
}

function covers(entry: string, host: string, port: number): boolean {
  if (entry === '*') return true
  if (entry.includes('/')) return isInNetwork(host, entry)
  const [, bracketed, plain, only] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(entry) ?? []
  if (only !== undefined && Number(only) !== port) return false
  // What has colons and neither brackets nor a port is an address.
  const name = (bracketed ?? plain ?? entry).replace(/^\*?\./, '').replace(/\.$/, '')
  if (isIP(name) !== 0) return isInNetwork(host, `${name}/${isIP(name) === 6 ? 128 : 32}`)
  return name !== '' && (host === name || host.endsWith(`.${name}`))
}

function isInNetwork(host: string, network: string): boolean {
  const [address = '', bits = ''] = network.split('/')
  const [family, own] = [familyOf(address), familyOf(host)]
  if (family === undefined || family !== own || !/^\d+$/.test(bits)) return false
  if (Number(bits) > (family === 'ipv6' ? 128 : 32)) return false
  const list = new BlockList()
  list.addSubnet(address, Number(bits), family)
  return list.check(host, own)
}

function familyOf(address: string): 'ipv4' | 'ipv6' | undefined {
  return ({ 4: 'ipv4', 6: 'ipv6' } as const)[isIP(address)]
}

/** Whether a host is this machine, by its name or address: no proxy can reach it. */
export function isLoopback(host: string): boolean {
  return isExempt(host, 0, 'localhost 127.0.0.0/8 ::1 ::ffff:127.0.0.0/104')
}
