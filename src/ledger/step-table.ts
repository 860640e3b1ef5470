import type { z } from 'zod'
import type { Frozen } from '../base/frozen.ts'
import type { step } from './rows.ts'

/** What is kept of a clink under a name. */
export type KeptStep = Frozen<z.output<typeof step>>

/**
 * Steps by their clinks. There may be many of one clink, and each is written by itself. Whoever acts on one has to know that it is written:
 * so a write resolves when the row would survive what the store promises to survive, and while the store fails it does not resolve.
 */
export interface StepTable {
  /**
   * All of a clink, those that are not written yet as well.
   *
   * @throws {Error} where they cannot be read: who takes that for none does everything again.
   */
  of(clinkId: string): Promise<readonly KeptStep[]>
  set(clinkId: string, step: KeptStep): Promise<void>
  delete(clinkId: string, step: Pick<KeptStep, 'is' | 'name'>): Promise<void>
  /** Forgets all of a clink. */
  drop(clinkId: string): Promise<void>
}

/** One per clink: no name of a clink's step is the name of another one. */
export function stepKey({ is, name }: Pick<KeptStep, 'is' | 'name'>): string {
  return `${is} ${name}`
}
