import { expect, it } from 'vitest'
import { tlsFinding } from '../../../src/commands/check/tls.ts'

it.each(['http://127.0.0.1:7700', 'http://[::1]:7700', 'http://localhost'])(
  'a service on this machine itself needs no securing: %s',
  async (url) => {
    expect(await tlsFinding({ url, proxy: undefined, env: {} })).toBeUndefined()
  },
)
