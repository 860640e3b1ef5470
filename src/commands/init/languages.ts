import { packageVersion } from '../../clink/version.ts'

/** What a first handler is written in, and how its test is run. */
export interface Start {
  /** Names and texts, in the order in which they are written. Each must work as it stands: the tests run them. */
  readonly files: Readonly<Record<string, string>>
  readonly handler: string
  /** Added to the configuration. */
  readonly routes?: string
  /** Before its test and `dev` work. */
  readonly install?: string
  readonly test: string
  readonly about: string
}

export const LANGUAGES = ['ts', 'js', 'python'] as const
export type Language = (typeof LANGUAGES)[number]

export function startIn(language: Language): Start {
  return language === 'python' ? PYTHON : javaScript(language)
}

function javaScript(language: 'ts' | 'js'): Start {
  const isTyped = language === 'ts'
  const handler = `handlers/hello.${language}`
  const test = `handlers/hello.test.${language}`
  return {
    files: {
      'package.json': `${JSON.stringify(packageOf(language), undefined, 2)}\n`,
      [handler]: isTyped ? HELLO_TS : HELLO_JS,
      [test]: testOf(language),
    },
    handler,
    install: 'npm install',
    test: 'npm test',
    about: `\`${handler}\` takes every clink that no other handler takes. Put another file beside it, with a \`match\`, for what is to be done otherwise.`,
  }
}

function packageOf(language: 'ts' | 'js'): object {
  return {
    private: true,
    type: 'module',
    scripts: {
      dev: 'clink-worker dev',
      start: 'clink-worker run',
      test: `node --test "handlers/*.test.${language}"`,
    },
    dependencies: { 'clink-worker': `^${packageVersion()}` },
  }
}

const HELLO_TS = `import type { Clink, HandlerContext } from 'clink-worker'

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

const HELLO_JS = `/**
 * Takes every clink that no other handler takes. What is returned is sent to the sender as the response.
 *
 * To take only some, export defineHandler({ match, handle }) instead:
 *
 *   import { defineHandler } from 'clink-worker'
 *   export default defineHandler({ match: { content: /^hello/ }, handle: (clink) => 'Hello' })
 *
 * @type {import('clink-worker').HandleFunction}
 */
export default async function hello(clink, ctx) {
  ctx.log.info('saying hello', { to: clink.sender_name })
  return \`Hello \${clink.sender_name}, you said: \${clink.content}\`
}
`

const testOf = (language: string): string => `// Run it with: npm test
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testWorker } from 'clink-worker/testing'
import hello from './hello.${language}'

test('greets the sender by name', async () => {
  const worker = await testWorker({ handlers: { hello }, clinks: ['good morning'] })
  const { outcome, response } = await worker.settled()
  assert.equal(outcome, 'completed')
  assert.equal(response, 'Hello bob, you said: good morning')
  await worker.close()
})

test('greets once, though the service fails at first', async () => {
  const worker = await testWorker({ handlers: { hello }, clinks: ['good morning'] })
  worker.failRequests({ operation: 'complete_clink', times: 3, then: { status: 503 } })
  await worker.settled()
  assert.equal(worker.sent.length, 1)
  await worker.close()
})
`

const HELLO_PY = `"""Answers a clink. Nothing but the standard library.

The clink and what belongs to it come as JSON on standard input; the response goes to standard output. What goes to standard error is
logged, and its last line is the reason where the exit code is not 0.
"""

import json
import sys


def answer(task):
    clink = task["clink"]
    return f"Hello {clink['sender_name']}, you said: {clink['content']}"


if __name__ == "__main__":
    task = json.load(sys.stdin)
    print("saying hello to", task["clink"]["sender_name"], file=sys.stderr)
    print(answer(task), end="")
`

const TEST_PY = `"""Run it with: python3 -m unittest discover handlers"""

import json
import pathlib
import subprocess
import sys
import unittest

PROGRAM = pathlib.Path(__file__).with_name("hello.py")


class Hello(unittest.TestCase):
    def test_greets_the_sender_by_name(self):
        task = {"version": 1, "attempt": 1, "clink": {"sender_name": "Alice", "content": "good morning"}}
        run = subprocess.run([sys.executable, PROGRAM], input=json.dumps(task), capture_output=True, text=True, check=True)
        self.assertEqual(run.stdout, "Hello Alice, you said: good morning")


if __name__ == "__main__":
    unittest.main()
`

const PYTHON: Start = {
  files: { 'handlers/hello.py': HELLO_PY, 'handlers/test_hello.py': TEST_PY },
  handler: 'handlers/hello.py',
  routes: `
# Tried in this order; a route without a match takes every clink.
routes:
  - name: hello
    exec: [python3, handlers/hello.py]
`,
  test: 'python3 -m unittest discover handlers',
  about:
    '`handlers/hello.py` is a program that is started for each clink, by the route in `clink-worker.yaml`. Put another program beside it, with a route that has a `match`, for what is to be done otherwise.',
}
