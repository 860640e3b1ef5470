import { AsyncLocalStorage } from 'node:async_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { workerData } from 'node:worker_threads'
import { errorFact } from '../../base/error-fact.ts'
import { handleIn } from '../../handlers/exported.ts'
import type { HandleFunction } from '../../handlers/handler.ts'
import { installModuleHooks } from '../../handlers/module-hooks.ts'
import { nativeImport } from '../../handlers/native-import.ts'
import { unavailable, type Outcome } from '../outcome.ts'
import { runHandler } from '../run-handler.ts'
import { captureOutput } from './console.ts'
import type { ThreadData, ToThread } from './messages.ts'
import { Port } from './port.ts'
import { RunSignals } from './run-signals.ts'
import { ThreadServices } from './thread-services.ts'
import { withinTrace } from './within-trace.ts'

// What runs in a thread of its own: handlers, one run after the other.

type Begin = Extract<ToThread, { do: 'run' }>

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `Thread` has made it
const { modules, service, shared } = workerData as ThreadData
const port = new Port(shared)
/** Which run code belongs to, whenever it comes to run. */
const runs = new AsyncLocalStorage<number>()
const handles = new Map<string, Promise<HandleFunction>>()
let current: { readonly number: number; readonly signals: RunSignals } | undefined
/** The number of the last one. */
let last = 0

installModuleHooks().repeat(modules)
captureOutput((level, text) => port.log(runs.getStore() ?? last, level, text))
process.on('uncaughtException', uncaught)
port.listen((message) => {
  if (message.do === 'run') void begin(message)
  else if (message.do === 'collect') collect(message.run)
  else if (message.run !== current?.number) return
  else if (message.do === 'abort') current.signals.aborted(message.code, message.message)
  else current.signals.drain()
})

/** What is in use is known only when the rest is collected. */
function collect(run: number): void {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  if (typeof gc === 'function') gc()
  port.send({ run, say: 'collected', used: getHeapStatistics().used_heap_size })
}

async function begin(message: Begin): Promise<void> {
  const { run } = message
  const signals = new RunSignals(port)
  current = { number: run, signals }
  last = run
  const outcome = await execute(message, signals)
  current = undefined
  port.send({ run, say: 'ended', outcome })
}

async function execute({ env, envelope, run, url }: Begin, signals: RunSignals): Promise<Outcome> {
  let handle: HandleFunction
  try {
    const isNew = !handles.has(url)
    handle = await load(url)
    if (isNew) port.send({ run, say: 'loaded' })
  } catch (error) {
    return unavailable('the handler cannot be loaded in a thread', errorFact(error).message)
  }
  // It took its time to load, and its claim may be lost.
  port.look()
  if (signals.abortedBy !== undefined) return { outcome: 'failed', error: errorFact(signals.abortedBy) }
  const task = { env, envelope, services: new ThreadServices(port, run, service), signals }
  return await runs.run(run, async () => await withinTrace(envelope.trace, () => runHandler(handle, task)))
}

async function load(url: string): Promise<HandleFunction> {
  let handle = handles.get(url)
  if (handle === undefined) {
    handle = nativeImport(url).then((module) => {
      const found = handleIn(module)
      if (found === undefined) throw new Error('it has no function any more')
      return found
    })
    handles.set(url, handle)
  }
  return await handle
}

/** What an earlier run has left behind is not the fault of the one that runs now; what belongs to no run may be anybody's. */
function uncaught(thrown: unknown): void {
  const fact = errorFact(thrown)
  const error = { ...fact, message: `nothing caught an error: ${fact.message}` }
  const run = runs.getStore() ?? current?.number ?? last
  const isOver = current === undefined || run === current.number
  port.send({ run, say: 'uncaught', error, said: fact.message, isOver })
  if (isOver) process.exit(1)
}
