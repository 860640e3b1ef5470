import { createHmac } from 'node:crypto'

/**
 * The headers of Standard Webhooks, by which the application knows that a request is ours and was not changed.
 *
 * @param wall milliseconds.
 */
export function signatureOf(secrets: readonly Buffer[], id: string, body: string, wall: number) {
  const timestamp = String(Math.floor(wall / 1_000))
  const signed = `${id}.${timestamp}.${body}`
  const signatures = secrets.map((secret) => `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`)
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') }
}
