import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../../config/config.ts'
import { NO_FILES } from '../../handlers/files-read.ts'
import type { HandleFunction } from '../../handlers/handler.ts'
import { HandlerSet } from '../../handlers/handler-set.ts'
import { makeRoutes } from '../../handlers/make-routes.ts'
import { FLAKY, SLOW } from './samples.ts'

/** Longer than the claim of the embedded Clink, so that it can be seen to be renewed. */
const LONG = 12_000

const slow: HandleFunction = async (_clink, ctx) => {
  ctx.log.info('this takes longer than the claim lasts: watch it being renewed')
  await delay(LONG, undefined, { signal: ctx.signal })
  return 'I counted 4096 parcels.'
}

const flaky: HandleFunction = (_clink, ctx) => {
  if (ctx.attempt === 1) throw new Error('the door sticks (this sample fails once on purpose)')
  return 'It is open now.'
}

/** Handlers of two of the samples: what shows renewal and retry, whatever handlers there are. */
export function sampleHandlers(config: Config): HandlerSet {
  const made = (name: string, handle: HandleFunction, content: string) => ({
    path: '',
    file: 'built-in',
    name,
    definition: { handle, match: { content: { prefix: content } } },
  })
  const handlers = [made('sample-slow', slow, SLOW), made('sample-flaky', flaky, FLAKY)]
  return new HandlerSet(1, makeRoutes(handlers, { ...config, routes: [] }, 1).entries, NO_FILES)
}
