import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { Cli } from '../../support/cli.ts'
import { Site } from '../../support/site.ts'

const TELLING = pathToFileURL(join(import.meta.dirname, '../../support/preloaded/tell-packages.js')).href
const ABOUT = /^(undici|zod|got|pg|chokidar|prom-client|node)\b/

test('before its first claim a worker loads no package that this does not need, and of undici only what it needs', async () => {
  await using site = await Site.start({ 'handlers/h.js': 'export default () => "done"' })
  const env = { ...site.env(), NODE_OPTIONS: `--import=${TELLING}` }
  await using worker = new Cli(['run', '--once', '--set', 'server.enabled=false'], { cwd: site.dir.path, env })
  const { code, stderr } = await worker.ended
  expect(code).toBe(0)
  const loaded = [...stderr.matchAll(/^package (.*)$/gm)].flatMap(([, name = '']) => (ABOUT.test(name) ? [name] : []))
  expect(new Set(loaded)).toEqual(new Set(['undici/lib/dispatcher/pool.js', 'undici/lib/core/errors.js']))
})
