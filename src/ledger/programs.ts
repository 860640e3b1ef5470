import type { ProcessGroup } from '../runners/process-group.ts'
import type { Table } from './table.ts'

/** A program that runs for a clink, and may outlive the process that has started it. */
export interface Program {
  readonly clinkId: string
  /** The boot to which `started` of the group refers. */
  readonly boot: string
  readonly group: ProcessGroup
}

/** The programs that were started and are not known to be gone. */
export class Programs {
  readonly #table: Table<Program>

  constructor(table: Table<Program>) {
    this.#table = table
  }

  /** To be noted before the program is given its clink. */
  async note(program: Program): Promise<void> {
    await this.#table.set(program.group.run, program)
  }

  /** All of the program's group has ended. */
  async gone({ group }: Program): Promise<void> {
    await this.#table.delete(group.run)
  }

  all(): readonly Program[] {
    return [...this.#table.entries()].map(([, program]) => program)
  }
}
