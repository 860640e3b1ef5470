/** What `init` writes. Each file must work as it stands: the tests run them. */

export const CONFIGURATION = `# clink-worker. Everything has a default: these are the settings that are looked at first.
# All of them, with their meanings, are in config.example.yaml of the package.

# The key is not written here: it comes from the environment, CLINK_API_KEY or CLINK_API_KEY_FILE.

# How many clinks are worked at once.
concurrency: 10

handlers:
  directory: ./handlers
  # How long one run may take.
  timeout: 15m

retry:
  # Starts of a handler before a clink is given up. 1: no second try.
  attempts: 5
  backoff: 5s
  # A sender whose clink is given up gets a short answer that says so. Without this line (release) the clink goes back to the inbox, for
  # other workers, and its sender hears nothing.
  onExhausted: complete

log:
  level: info
`

export const HANDLER = `import type { Clink, HandlerContext } from 'clink-worker'

/**
 * Takes every clink that no other handler takes. What is returned is sent to the sender as the response.
 *
 * To take only some, export defineHandler({ match, handle }) instead:
 *
 *   import { defineHandler } from 'clink-worker'
 *   export default defineHandler({ match: { content: /^hello/ }, handle: (clink) => 'Hello' })
 */
export default async function hello(clink: Clink, ctx: HandlerContext): Promise<string> {
  ctx.log.info('saying hello', { to: clink.sender_name })
  return \`Hello \${clink.sender_name}, you said: \${clink.content}\`
}
`

// Apart, so that nothing takes it for an import of this file.
const BESIDE = './hello.ts'

export const HANDLER_TEST = `// Run it with: node --test handlers/hello.test.ts
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clink, HandlerContext } from 'clink-worker'
import hello from '${BESIDE}'

test('greets the sender by name', async () => {
  const clink = { sender_name: 'Alice', content: 'good morning' } as Clink
  const ctx = { log: { info: () => {} } } as unknown as HandlerContext
  assert.equal(await hello(clink, ctx), 'Hello Alice, you said: good morning')
})
`
