import type { Input } from './intake/input.ts'
import type { Owner, StoredGroup, StoredKey } from './store/tables.ts'
import type { World } from './world.ts'

/** Who asks: a key, its owner, and the session that tells agents under one key apart. */
export interface Caller {
  readonly key: StoredKey
  readonly owner: Owner
  readonly session: string
  /** Groups that the key sees, as of this request. */
  readonly groups: readonly StoredGroup[]
}

/** One request to one operation, authenticated and checked. */
export interface Call {
  readonly world: World
  readonly caller: Caller
  readonly input: Input
  /** Emulator milliseconds: one reading for the whole request. */
  readonly now: number
}
