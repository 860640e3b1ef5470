import { join } from 'node:path'
import { expect, it } from 'vitest'
import { serverToken } from '../../src/config/server-token.ts'
import { TempDir } from '../support/temp-dir.ts'

it('takes no token that can be guessed, and says which file is meant (P13)', async () => {
  using dir = new TempDir()
  const tokenFile = join(dir.path, 'token')
  expect(() => serverToken({ tokenFile })).toThrow(/server\.tokenFile: .*token cannot be read/)
  for (const token of ['', '\n', 'short', 'two words that are long enough']) {
    await dir.write({ token })
    expect(() => serverToken({ tokenFile })).toThrow(/server\.tokenFile: .*token holds no token/)
  }
  await dir.write({ token: 'a-token-that-nobody-guesses\n' })
  const token = serverToken({ tokenFile })
  expect([token?.reveal(), String(token)]).toEqual(['a-token-that-nobody-guesses', '[secret]'])
  expect(serverToken({ tokenFile: null })).toBeUndefined()
})
