import type { LoadFnOutput, ResolveFnOutput } from 'node:module'

export type Resolved = Pick<ResolveFnOutput, 'url' | 'format' | 'importAttributes'>
export type Source = Pick<LoadFnOutput, 'format' | 'source'>

/**
 * The modules of one loading as they were then: what a thread loads that is made later, whatever has become of the files. Plain data, which
 * can be handed to a thread.
 */
export interface ModuleSnapshot {
  /** Counts up with each loading. */
  readonly tag: string
  /** Directories in which all modules are ES modules. */
  readonly roots: readonly string[]
  /** What each import led to, by `importKey`. */
  readonly resolved: ReadonlyMap<string, Resolved>
  /** By address. What is not here, as what is imported only while a handler runs, is read from its file. */
  readonly sources: ReadonlyMap<string, Source>
}

export function importKey(specifier: string, importer: string | undefined): string {
  return JSON.stringify([importer, specifier])
}
