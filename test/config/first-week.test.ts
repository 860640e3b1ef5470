import { expect, it } from 'vitest'
import { apiKey } from '../../src/clink/credentials.ts'
import { linesOf, loadText } from '../support/config-files.ts'

// P14: what the first week brings; each says what to do.
const cases: readonly (readonly [string, string, readonly string[]])[] = [
  ['a tab', 'clink:\n\turl: http://x', ['clink-worker.yaml:2:1: a line must not begin with a tab; write spaces']],
  [
    'a key too far to the right',
    'retry:\n  attempts: 3\n   backoff: 5s',
    [
      'clink-worker.yaml:2:13: this value is followed by another key; keys of one group begin in the same column, and a text with ": " in it needs quotes',
    ],
  ],
  [
    'a key that is there twice',
    'concurrency: 1\nconcurrency: 2',
    ['clink-worker.yaml:2:1: concurrency is there twice; keys must be unique'],
  ],
  [
    'no blank after the colon',
    'concurrency:5',
    ['clink-worker.yaml:1:1: the file must hold keys and values, as "concurrency: 10" (with a blank after the colon)'],
  ],
  [
    'names that other programs have for it',
    'clink: { apiKey: x, base_url: http://x }\nworkers: 4\nretry: { max-retries: 3 }\nlogLevel: info',
    [
      'clink-worker.yaml:1:10: clink.apiKey: unknown key; did you mean clink.key?',
      'clink-worker.yaml:1:21: clink.base_url: unknown key; did you mean clink.url?',
      'clink-worker.yaml:2:1: workers: unknown key; did you mean concurrency?',
      'clink-worker.yaml:3:10: retry.max-retries: unknown key; did you mean retry.attempts?',
      'clink-worker.yaml:4:1: logLevel: unknown key; did you mean log.level?',
    ],
  ],
  [
    'a value for a group',
    'handlers: ./mine',
    [
      'clink-worker.yaml:1:11: handlers: "./mine" is not a group of keys and values; write keys below it, such as handlers.directory',
    ],
  ],
  [
    'routes by their names',
    'routes:\n  deploy: { use: ./a.ts }',
    ['clink-worker.yaml:2:3: routes: is not a list; write - { name: deploy, use: ./handlers/deploy.ts }'],
  ],
  [
    'a regular expression as in JavaScript',
    'routes: [{ use: a.ts, match: { content: { regex: "/^deploy/i" } } }]',
    [
      'clink-worker.yaml:1:50: routes[0].match.content.regex: "/^deploy/i" is written between slashes, which would be part of it; write ^deploy (and [/] for a slash)',
    ],
  ],
]

it.each(cases)('a mistake of the first week is named with what to do: %s', async (_, text, said) => {
  expect(await linesOf(loadText(text))).toEqual(said)
})

it('a key that is the name of a variable is told from one that is wrong', () => {
  expect(() => apiKey('$CLINK_API_KEY')).toThrow('write it as ${NAME}, with braces')
})
