import { setImmediate } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { parentPort, workerData } from 'node:worker_threads'
import { systemCode } from '../base/coded-error.ts'
import type { Definition, LoadedDefinition, Rules } from './definition.ts'
import { explainFailure } from './load-failure.ts'
import { loadModule, type Failed } from './load-module.ts'
import { installModuleHooks, type Met } from './module-hooks.ts'
import type { ModuleSnapshot } from './module-snapshot.ts'

/** What came of one module. `here`: only the thread that asks can tell, and has to load it itself. */
export type LoadedThere = { readonly rules: Rules } | Failed | { readonly here: true }

/** From the thread: it is up, it has come across something, or what came of the module of that number. */
export type FromLoading =
  { readonly up: true } | { readonly met: Met } | { readonly loaded: LoadedThere; readonly number: number }

/** To the thread: a module to load. It is given one at a time. */
export interface ToLoading {
  readonly url: string
  readonly number: number
}

// A thread of its own: see `thread-loader.ts`.

/** What a module may do at its top level, and only in the main thread. */
const ONLY_HERE = new Set(['ERR_WORKER_UNSUPPORTED_OPERATION', 'ERR_DLOPEN_FAILED'])

/** The module that is being loaded. */
let current: number | undefined
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, and no window
const tell = (message: FromLoading): void => parentPort?.postMessage(message)
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `ThreadLoader` has made it
const load = installModuleHooks().repeat(workerData as ModuleSnapshot, (met) => tell({ met }))

process.on('uncaughtException', (error) => answer(current, { failures: [explainFailure(error, load)] }))
parentPort?.on('message', (message: ToLoading) => void begin(message))
tell({ up: true })

async function begin({ number, url }: ToLoading): Promise<void> {
  current = number
  const loaded = await loadModule(url, load)
  // What nothing has caught is known by then.
  await setImmediate()
  if ('definition' in loaded) answer(number, told(loaded.definition))
  else answer(number, ONLY_HERE.has(systemCode(loaded.thrown) ?? '') ? { here: true } : { failures: loaded.failures })
}

function answer(number: number | undefined, loaded: LoadedThere): void {
  if (number === undefined || number !== current) return
  current = undefined
  tell({ loaded, number })
}

/** A regular expression with methods of its own would arrive without them. */
function told(definition: Definition): LoadedThere {
  const rules: LoadedDefinition = { ...definition }
  delete rules.handle
  try {
    return isDeepStrictEqual(structuredClone(rules), rules) ? { rules } : { here: true }
  } catch {
    return { here: true }
  }
}
