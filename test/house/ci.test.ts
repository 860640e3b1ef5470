import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const read = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')

it('CI runs exactly the test command of the README', () => {
  const [, command] = /^(npm ci && .*)$/m.exec(read('.ci/run')) ?? []
  expect(command).toBe('npm ci && npm test')
  expect(read('README.md').split('\n')).toContain(command)
})

it('the lock file names no address and lists nothing that it does not hold', () => {
  const lock: unknown = JSON.parse(read('package-lock.json'))
  expect(JSON.stringify(lock)).not.toContain('"resolved"')
})
