import { connect, type Socket } from 'node:net'

/** Everything that a server sends on one connection until it closes that, for what is written on it. */
export async function exchanged(url: string, ...written: readonly string[]): Promise<string> {
  const socket = await connected(url)
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => (text += part))
  for (const part of written) socket.write(part)
  await closed(socket)
  return text
}

export async function connected(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ''))
  // That it is closed says enough.
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}

/** Resolves when the server has closed the connection. */
export async function closed(socket: Socket): Promise<void> {
  socket.resume()
  if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()))
}

/** The status of an answer, and what its body says where that is JSON. */
export function read(answer: string): { readonly status: number; readonly body: unknown } {
  const [head = '', body = ''] = answer.split('\r\n\r\n')
  const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1])
  return { status, body: body === '' ? undefined : JSON.parse(body) }
}
