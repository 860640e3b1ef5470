import { stackOf } from '../base/coded-error.ts'
import type { ModuleLoad } from './module-hooks.ts'

/** A module called `process.exit` while it was loaded. */
export class EndedWhileLoading extends Error {
  override readonly name = 'EndedWhileLoading'

  constructor() {
    super('ended the process while it was loaded')
  }
}

/**
 * Loads a module and keeps its code from ending the process: at a reload the worker and its last good handlers go on.
 * All other code may still end the process meanwhile.
 */
export async function refusingExit<Result>(load: ModuleLoad, work: () => Promise<Result>): Promise<Result> {
  // oxlint-disable-next-line typescript/unbound-method -- it is put back as it was, and does not need to know whose it is
  const { exit } = process
  process.exit = (code) => {
    const error = new EndedWhileLoading()
    if (load.isIn(stackOf(error))) throw error
    return exit(code)
  }
  try {
    return await work()
  } finally {
    process.exit = exit
  }
}
