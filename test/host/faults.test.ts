import { expect, test } from 'vitest'
import { blamed } from '../../src/host/faults.ts'

const files = ['/srv/handlers/a.ts', '/srv/handlers/b.ts']

function withStack(...frames: string[]): Error {
  return Object.assign(new Error('x'), { stack: ['Error: x', ...frames.map((frame) => `    at ${frame}`)].join('\n') })
}

test.each([
  [
    'the innermost handler in the stack',
    withStack(
      'run (node:timers:1:1)',
      'f (file:///srv/handlers/b.ts?gen=1:2:3)',
      'g (file:///srv/handlers/a.ts?gen=1:2:3)',
    ),
    files[1],
  ],
  ['nobody, where no handler is in the stack', withStack('run (file:///srv/worker/run.ts:1:1)'), undefined],
  ['nobody, where there is no stack', Object.assign(new Error('x'), { stack: undefined }), undefined],
])('a fault is blamed on %s', (_name, error, file) => {
  expect(blamed(error, files)).toBe(file)
})
