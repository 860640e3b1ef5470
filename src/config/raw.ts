import { isRecord } from '../base/record.ts'
import { meansNull } from './schema-paths.ts'
import { dotted, isSecret, showValue, type ConfigIssue, type Path } from './issue.ts'

/** Where a value of the configuration was written. */
export interface Place {
  /** The file, `command line`, `environment CLINK_WORKER_CONCURRENCY`. */
  readonly where: string
  readonly line?: number
  readonly column?: number
  /** Absolute path that a relative path written here starts from. */
  readonly base: string
  /** What messages show instead of the value: it holds what came from the environment. */
  readonly written?: string
}

interface Places {
  readonly key?: Place
  readonly value: Place
}

export type RawMap = Record<string, unknown>

/** The configuration before it is checked: plain values from all sources, and for each of them where it was written. */
export class RawConfig {
  #root: RawMap = {}
  readonly #places = new Map<string, Places>()
  readonly #whole: Place

  /** @param whole the place for all that was written nowhere. */
  constructor(whole: Place) {
    this.#whole = whole
  }

  get root(): Readonly<RawMap> {
    return this.#root
  }

  /** Takes over a whole document. */
  fill(root: RawMap): void {
    this.#root = root
  }

  locate(path: Path, places: Places): void {
    this.#places.set(id(path), { ...this.#places.get(id(path)), ...places })
  }

  /** Where the value, or else the nearest thing around it, was written. */
  placeOf(path: Path): Place {
    for (let length = path.length; length >= 0; length -= 1) {
      const found = this.#places.get(id(path.slice(0, length)))
      if (found !== undefined) return found.value
    }
    return this.#whole
  }

  placeOfKey(path: Path): Place {
    return this.#places.get(id(path))?.key ?? this.placeOf(path)
  }

  get(path: Path): unknown {
    let value: unknown = this.#root
    for (const part of path) value = isRecord(value) || Array.isArray(value) ? Reflect.get(value, part) : undefined
    return value
  }

  /** Puts a value of a stronger source in place; `undefined` brings the default back. */
  override(path: readonly string[], value: unknown, place: Place): void {
    const parent = this.#parentOf(path, place)
    const last = path.at(-1)
    // A parent that is no map is an error of its own, which is reported where it stands.
    if (parent === undefined || last === undefined) return
    const prefix = id(path).slice(0, -1)
    for (const known of this.#places.keys()) if (known.startsWith(prefix)) this.#places.delete(known)
    setOwn(parent, last, value)
    if (value === undefined || (value === null && !meansNull(path))) Reflect.deleteProperty(parent, last)
    this.#places.set(id(path), { value: place })
  }

  issue(
    path: Path,
    message: string,
    { atKey = false, suggestion }: { readonly atKey?: boolean; readonly suggestion?: string | undefined } = {},
  ): ConfigIssue {
    const { where, line, column, written } = atKey ? this.placeOfKey(path) : this.placeOf(path)
    const value = this.get(path)
    // Groups of values are not shown: some of them may have come from the environment, or be nobody's business.
    const isShown = !atKey && value !== undefined && typeof value !== 'object' && !isSecret(path)
    const shown = isShown ? (written ?? showValue(value)) : undefined
    return { where, line, column, key: dotted(path), value: shown, message, suggestion }
  }

  #parentOf(path: readonly string[], place: Place): RawMap | undefined {
    let map: RawMap = this.#root
    for (const [index, part] of path.slice(0, -1).entries()) {
      if (!Object.hasOwn(map, part)) {
        setOwn(map, part, {})
        this.#places.set(id(path.slice(0, index + 1)), { value: place })
      }
      const next = map[part]
      if (!isRecord(next)) return undefined
      map = next
    }
    return map
  }
}

/** Names of keys come from outside, and plain assignment to `__proto__` would not make a key. */
export function setOwn(map: RawMap, name: string, value: unknown): void {
  Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true })
}

function id(path: Path): string {
  return JSON.stringify(path)
}
