/** Says nothing of what is outside. */
const INSIDE =
  /^(Timeout|Immediate|TickObject|Microtask|MessagePort|MessageChannel|BroadcastChannel|Worker|SignalWrap|TTYWrap)$/
/** Something stands open: it may be at work, or idle. Whatever else there is was asked of the system, and its answer is to come. */
const HANDLE = /^(TCP(Server|Socket)|TLS|Pipe|UDP|HTTP|FSEvent|StatWatcher|FileHandle$)/

/** Real milliseconds after which what has not changed counts as idle: a server that listens, a connection that is kept. */
const IDLE_AFTER = { request: 10_000, handle: 500 } as const

/**
 * Whether something outside this process is under way, by what Node says of its resources. Virtual time stands meanwhile: a file that is
 * read takes none of it.
 */
export class PendingIo {
  readonly #requests: Resources
  readonly #handles: Resources

  /** @param now real milliseconds. */
  constructor(now: () => number) {
    this.#requests = new Resources((kind) => !HANDLE.test(kind) && !INSIDE.test(kind), IDLE_AFTER.request, now)
    this.#handles = new Resources((kind) => HANDLE.test(kind), IDLE_AFTER.handle, now)
    this.#handles.allIdle()
  }

  get isUnderWay(): boolean {
    return this.#requests.areBusy || this.#handles.areBusy
  }
}

class Resources {
  readonly #isOurs: (kind: string) => boolean
  readonly #idleAfter: number
  readonly #now: () => number
  #idle: ReadonlyMap<string, number> = new Map()
  #last = ''
  #since = 0

  constructor(isOurs: (kind: string) => boolean, idleAfter: number, now: () => number) {
    this.#isOurs = isOurs
    this.#idleAfter = idleAfter
    this.#now = now
  }

  /** There are more of them than were idle before. */
  get areBusy(): boolean {
    const counts = this.#count()
    if ([...counts].every(([kind, count]) => count <= (this.#idle.get(kind) ?? 0))) return false
    const text = JSON.stringify([...counts])
    if (text !== this.#last) {
      this.#last = text
      this.#since = this.#now()
    }
    if (this.#now() - this.#since < this.#idleAfter) return true
    this.#idle = counts
    return false
  }

  allIdle(): void {
    this.#idle = this.#count()
  }

  #count(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const kind of process.getActiveResourcesInfo())
      if (this.#isOurs(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1)
    return counts
  }
}
