import { readFileSync } from 'node:fs'
import { Session, type Profiler } from 'node:inspector'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Secret } from '../../src/base/secret.ts'
import { Daemon } from '../../src/daemon/daemon.ts'
import { createEmulator } from '../../src/emulator/emulator.ts'
import { HandlerSet } from '../../src/handlers/handler-set.ts'
import { makeRoutes } from '../../src/handlers/make-routes.ts'
import { makeConfig } from '../support/settings.ts'
import { source } from './figures.ts'

/** A file in which something was called while a clink was worked. */
export interface Called {
  /** Below src. */
  readonly file: string
  /** Only short functions of it were called: it is asked, and whoever follows the clink need not read it. */
  readonly isAsked: boolean
}

/** Lines of a function that only answers. */
const SHORT = 5

/**
 * Works one clink in batch mode in this process, against the embedded Clink without a network, and says where functions were called
 * between the poll that claims it and its completion. It has to run in a process of its own, where sources are not transformed.
 */
export async function pathOfOneClink(): Promise<readonly Called[]> {
  const coverage = await coverageOfOneClink()
  const prefix = pathToFileURL(`${source}/`).href
  return coverage
    .filter(({ url }) => url.startsWith(prefix))
    .map(({ functions, url }) => {
      const file = url.slice(prefix.length)
      const text = readFileSync(join(source, file), 'utf8')
      const lengths = functions
        // The first without a name is the module itself.
        .filter(({ functionName, ranges: [range] }) => range && (functionName !== '' || range.startOffset > 0))
        .filter(({ ranges: [range] }) => range && range.count > 0)
        .map(({ ranges: [range] }) => text.slice(range?.startOffset, range?.endOffset).split('\n').length)
      return { file, isCalled: lengths.length > 0, isAsked: Math.max(0, ...lengths) <= SHORT }
    })
    .filter(({ isCalled }) => isCalled)
    .sort((a, b) => (a.file < b.file ? -1 : 1))
}

async function coverageOfOneClink(): Promise<readonly Profiler.ScriptCoverage[]> {
  const session = new Session()
  session.connect()
  // In this process it answers before `post` returns.
  const take = (): readonly Profiler.ScriptCoverage[] => {
    let taken: readonly Profiler.ScriptCoverage[] = []
    session.post('Profiler.takePreciseCoverage', (_, { result }) => (taken = result))
    return taken
  }
  const hasPolled = Promise.withResolvers<void>()
  const completed = Promise.withResolvers<readonly Profiler.ScriptCoverage[]>()
  const emulator = createEmulator()
  const config = makeConfig('http://127.0.0.1:1', { inbox: { claim: 'batch' }, claim: { timeout: 300_000 } })
  let polls = 0
  const daemon = new Daemon({
    config,
    key: new Secret(emulator.key),
    router: routerOf(config),
    transport: { send: async (request) => await emulator.handle(request) },
    emit: ({ event }) => {
      if (event === 'poll.succeeded' && (polls += 1) === 3) hasPolled.resolve()
      if (event === 'clink.completed') completed.resolve(take())
    },
  })
  session.post('Profiler.enable')
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
  daemon.start()
  await hasPolled.promise
  emulator.send('ops', 'hello', { from: 'bob' })
  // What was called until here is of earlier polls.
  take()
  const coverage = await completed.promise
  daemon.hurry()
  await daemon.stop('counted')
  session.disconnect()
  return coverage
}

function routerOf(config: ReturnType<typeof makeConfig>): ConstructorParameters<typeof Daemon>[0]['router'] {
  const definition = { handle: async () => await Promise.resolve('done'), match: { group: 'ops' } }
  const { entries } = makeRoutes([{ path: '', file: 'counted', name: 'counted', definition }], config, 1)
  const set = new HandlerSet(1, entries, new Map())
  const { generation, idPatterns, routes, takesAll } = set
  const describe = () => ['counted']
  return { generation, idPatterns, routes, takesAll, find: (...facts) => set.find(...facts), describe }
}
