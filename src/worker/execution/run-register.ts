import { Present } from '../../base/present.ts'
import type { Standstill } from '../liveness/standstill.ts'

/** Which clinks have handler code running, whatever became of their claims: a clink never runs twice at once. */
export class RunRegister {
  readonly #runs = new Present<string, Promise<unknown>>()
  /** Programs that an earlier process has left behind. */
  readonly #left = new Map<string, Promise<unknown>>()
  readonly #standstill: Standstill

  constructor(standstill: Standstill) {
    this.#standstill = standstill
  }

  /** @param file of a handler whose code runs in this process, and may hold it up. */
  async track<Result>(clinkId: string, file: string | undefined, run: Promise<Result>): Promise<Result> {
    this.#runs.set(clinkId, run)
    if (file !== undefined) this.#standstill.started(file)
    try {
      return await run
    } finally {
      this.#runs.delete(clinkId)
      if (file !== undefined) this.#standstill.ended(file)
    }
  }

  /** What an earlier process has started runs for the clink, until `gone` resolves. It never rejects. */
  occupy(clinkId: string, gone: Promise<unknown>): void {
    const left: Promise<unknown> = Promise.all([this.#left.get(clinkId), gone]).finally(() => {
      if (this.#left.get(clinkId) === left) this.#left.delete(clinkId)
    })
    this.#left.set(clinkId, left)
  }

  /** Whether this process runs code for the clink. */
  has(clinkId: string): boolean {
    return this.#runs.has(clinkId)
  }

  /** Resolves when no code runs for the clink; undefined: none does. */
  busy(clinkId: string): Promise<unknown> | undefined {
    const [run, left] = [this.#runs.get(clinkId), this.#left.get(clinkId)]
    return run === undefined && left === undefined ? undefined : Promise.all([run, left])
  }
}
