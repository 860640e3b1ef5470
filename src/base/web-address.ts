export type WebAddress =
  /** Without a trailing slash: `https://clink.example/prefix`. */
  | { readonly address: string }
  /** What is wrong, reading on from the value. */
  | { readonly problem: string }

/**
 * Reads the address of a service: `http:` or `https:`, with a path prefix or none. Blanks, line ends and byte order marks around it are
 * how environments and files deliver it; slashes at its end mean nothing. The result, read again, is itself.
 */
export function readWebAddress(text: string): WebAddress {
  const trimmed = text.trim()
  // URL.parse takes line ends and tabs out of the middle, and would make another host of two lines.
  if (/\s/.test(trimmed)) return { problem: 'must not hold blanks or line ends' }
  const url = URL.parse(trimmed)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    const isBare = /^[a-z\d.-]+\.[a-z]{2,}(:\d+)?(\/[^@?#]*)?$/i.test(trimmed)
    return {
      problem: `is not an address that begins with http:// or https://${isBare ? `; write https://${trimmed}` : ''}`,
    }
  }
  if (url.username !== '' || url.password !== '') return { problem: 'must not hold a user name or password' }
  if (/[?#]/.test(trimmed)) return { problem: 'must not hold a query or a fragment' }
  if (url.hostname === 'unix') return { problem: 'is the address of a unix socket, which cannot be used here' }
  return { address: url.href.replace(/\/+$/, '') }
}

/** The text without what may be a user name, a password or a token in it. */
export function withoutCredentials(text: string): string {
  return text.replace(/(:\/*|\/\/)[^\s"]*@/g, '$1…@')
}
