import type { Row } from './rows.ts'
import type { Table } from './table.ts'

export type Program = Row<'programs'>

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
