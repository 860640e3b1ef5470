import { checkModule, type Definition } from './definition.ts'
import { refusingExit } from './load-exit.ts'
import { explainFailure, type LoadFailure } from './load-failure.ts'
import type { ModuleLoad } from './module-hooks.ts'
import { nativeImport } from './native-import.ts'

export interface Failed {
  readonly failures: readonly LoadFailure[]
}

/** Imports a handler module into this thread, and checks what it exports. */
export async function loadModule(
  url: string,
  load: ModuleLoad,
): Promise<{ readonly definition: Definition } | (Failed & { readonly thrown?: unknown })> {
  try {
    const checked = checkModule(await refusingExit(load, async () => await nativeImport(url)))
    return 'definition' in checked ? checked : { failures: checked.problems.map((message) => ({ message })) }
  } catch (thrown) {
    return { failures: [explainFailure(thrown, load)], thrown }
  }
}
