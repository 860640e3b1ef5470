/** Says nothing of what is outside. */
const INSIDE =
  /^(Timeout|Immediate|TickObject|Microtask|MessagePort|MessageChannel|BroadcastChannel|Worker|SignalWrap|TTYWrap)$/
/** Something stands open: it may be at work, or idle. Whatever else there is was asked of the system, and its answer is to come. */
const HANDLE = /^(TCP(Server|Socket)|TLS|Pipe|UDP|HTTP|FSEvent|StatWatcher|FileHandle$)/

/** What a test has started before the worker, as the application that it asks, and lets run. */
const PROGRAM = /^ProcessWrap$/

/** Real milliseconds after which what is still there counts as idle: a server that listens, a connection that is kept. */
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
    this.#requests.areIdle(PROGRAM)
    this.#handles.areIdle(HANDLE)
  }

  get isUnderWay(): boolean {
    // Both are looked at each time: what one of them has not seen go is idle when it comes again.
    const areHandlesBusy = this.#handles.areBusy
    return this.#requests.areBusy || areHandlesBusy
  }
}

/** Each kind by itself: what comes and goes all the time keeps nothing else from being idle. */
class Resources {
  readonly #isOurs: (kind: string) => boolean
  readonly #idleAfter: number
  readonly #now: () => number
  readonly #idle = new Map<string, number>()
  /** Of kinds with more of them than are idle: the least that there were since. */
  readonly #more = new Map<string, { least: number; readonly since: number }>()

  constructor(isOurs: (kind: string) => boolean, idleAfter: number, now: () => number) {
    this.#isOurs = isOurs
    this.#idleAfter = idleAfter
    this.#now = now
  }

  /** There are more of them than are idle. */
  get areBusy(): boolean {
    const counts = this.#count()
    for (const kind of [...this.#idle.keys(), ...this.#more.keys()]) if (!counts.has(kind)) counts.set(kind, 0)
    let areBusy = false
    for (const [kind, count] of counts) areBusy = this.#isBusy(kind, count) || areBusy
    return areBusy
  }

  /** Those of such kinds that there are. */
  areIdle(kinds: RegExp): void {
    for (const [kind, count] of this.#count()) if (kinds.test(kind)) this.#idle.set(kind, count)
  }

  #isBusy(kind: string, count: number): boolean {
    const idle = this.#idle.get(kind) ?? 0
    if (count <= idle) {
      this.#more.delete(kind)
      // The next one of the kind is a new one.
      this.#idle.set(kind, count)
      return false
    }
    const { least, since } = this.#more.get(kind) ?? { least: count, since: this.#now() }
    const always = Math.min(least, count)
    if (this.#now() - since < this.#idleAfter) {
      this.#more.set(kind, { least: always, since })
      return true
    }
    this.#more.delete(kind)
    this.#idle.set(kind, always)
    return count > always
  }

  #count(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const kind of process.getActiveResourcesInfo())
      if (this.#isOurs(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1)
    return counts
  }
}
