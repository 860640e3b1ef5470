import { Heap } from './heap.ts'
import { walk, type Order } from './page.ts'
import { Shelf } from './shelf.ts'

export type ClinkStatus = 'pending' | 'claimed' | 'completed'

/** Who holds a clink: a session under a key of an owner. Times in emulator milliseconds. */
export interface Claim {
  readonly by: string
  readonly key: string
  readonly session: string
  readonly at: number
  readonly expires: number
}

/** A clink as the service keeps it. Never changed in place: each change is a new object. */
export interface StoredClink {
  readonly clink_id: string
  readonly seq: number
  readonly created: number
  readonly group_id: string
  readonly sender_id: string
  readonly sender_name: string
  readonly content: string
  readonly status: ClinkStatus
  /** The user or agent profile that it is addressed to. */
  readonly for?: string | undefined
  readonly claim?: Claim | undefined
  /** The claim that ran out last, while nobody has taken the clink since. */
  readonly lapsed?: Claim | undefined
  readonly completed?: (Omit<Claim, 'expires'> & { readonly response?: string | undefined }) | undefined
  /** The clink that this one answers. */
  readonly answers?: string | undefined
}

export interface HistoryEntry {
  readonly at: number
  readonly what: 'created' | 'claimed' | 'renewed' | 'released' | 'expired' | 'completed'
  /** Owner, key and session that did it; of an expiry, whose claim it was. */
  readonly by?: string | undefined
  readonly key?: string | undefined
  readonly session?: string | undefined
  /** Of a claim or renewal: when it ends. */
  readonly expires?: number | undefined
  /** Of a completion: the clink that carries the response. */
  readonly response?: string | undefined
}

export interface Selection {
  readonly groups: readonly string[]
  readonly statuses: readonly ClinkStatus[]
  /** Recipients, `undefined` being "to nobody"; absent: whoever it is for. */
  readonly recipients?: readonly (string | undefined)[]
  /** Created at this time or later. */
  readonly from: number
  readonly order: Order
  readonly random: () => number
}

export interface ClinksSnapshot {
  readonly clinks: readonly StoredClink[]
  readonly history: Readonly<Record<string, readonly HistoryEntry[]>>
}

const GRANTS_KEPT = 1_000

const shelfOf = (group: string, status: ClinkStatus, recipient?: { id: string | undefined }): string =>
  recipient === undefined ? `${group} ${status}` : `${group} ${status} ${recipient.id ?? '-'}`

/** All clinks, on shelves by group, status and recipient, so that a page costs what it shows and not what exists. */
export class ClinkStore {
  readonly #byId = new Map<string, StoredClink>()
  readonly #shelves = new Map<string, Shelf>()
  readonly #history = new Map<string, HistoryEntry[]>()
  readonly #expiries = new Heap<string>()
  /** The newest grants, a ring: who lost a race is found among them. */
  readonly #grants: { readonly at: number; readonly clink_id: string }[] = []
  #seq = 0
  /** Clinks looked at by selections since the start: what tests of scale compare. */
  visits = 0

  add(clink: Omit<StoredClink, 'seq'>, entry: HistoryEntry): StoredClink {
    this.#seq += 1
    const stored = { ...clink, seq: this.#seq }
    this.#put(stored)
    this.#history.set(stored.clink_id, [entry])
    return stored
  }

  /** Number of the newest clink. */
  get lastSeq(): number {
    return this.#seq
  }

  get(id: string): StoredClink | undefined {
    return this.#byId.get(id)
  }

  all(): readonly StoredClink[] {
    return [...this.#byId.values()]
  }

  historyOf(id: string): readonly HistoryEntry[] {
    return [...(this.#history.get(id) ?? [])]
  }

  change(clink: StoredClink, patch: Partial<StoredClink>, ...entries: readonly HistoryEntry[]): StoredClink {
    for (const shelf of this.#shelvesFor(clink)) shelf.remove(clink)
    const next = { ...clink, ...patch, clink_id: clink.clink_id, seq: clink.seq }
    this.#put(next)
    this.#history.get(clink.clink_id)?.push(...entries)
    for (const { what, at } of entries) if (what === 'claimed') this.#granted(at, clink.clink_id)
    return next
  }

  /** Gives back what claims that have run out held. */
  expire(now: number): void {
    for (let id = this.#expiries.popDue(now); id !== undefined; id = this.#expiries.popDue(now)) {
      const clink = this.#byId.get(id)
      const claim = clink?.claim
      // A renewal or a new claim put an entry of its own into the heap, so this one may be out of date.
      if (clink === undefined || claim === undefined || clink.status !== 'claimed' || claim.expires > now) continue
      this.change(
        clink,
        { status: 'pending', claim: undefined, lapsed: claim },
        { at: claim.expires, what: 'expired', by: claim.by, key: claim.key, session: claim.session },
      )
    }
  }

  /** Clinks whose claim was first made at `time` or later and still stands. */
  claimedSince(time: number): readonly StoredClink[] {
    const kept = this.#grants.filter(({ at }) => at >= time)
    this.#grants.splice(0, this.#grants.length, ...kept)
    return [...new Set(kept.map(({ clink_id }) => clink_id))].flatMap((id) => {
      const clink = this.#byId.get(id)
      return clink?.status === 'claimed' ? [clink] : []
    })
  }

  /** Lazily, in order: stop when the page is full. */
  *select(selection: Selection): Generator<StoredClink> {
    const { groups, statuses, recipients, from, order, random } = selection
    const shelves = groups.flatMap((group) =>
      statuses.flatMap((status) => {
        const names = recipients?.map((id) => shelfOf(group, status, { id })) ?? [shelfOf(group, status)]
        return names.flatMap((name) => this.#shelves.get(name) ?? [])
      }),
    )
    for (const { clink_id } of walk(shelves, from, order, random)) {
      this.visits += 1
      const clink = this.#byId.get(clink_id)
      if (clink !== undefined) yield clink
    }
  }

  snapshot(): ClinksSnapshot {
    return { clinks: this.all(), history: Object.fromEntries(this.#history) }
  }

  restore(snapshot: ClinksSnapshot): void {
    for (const clink of snapshot.clinks) {
      this.#put(clink)
      this.#seq = Math.max(this.#seq, clink.seq)
      this.#history.set(clink.clink_id, [...(snapshot.history[clink.clink_id] ?? [])])
    }
  }

  #granted(at: number, clink_id: string): void {
    this.#grants.push({ at, clink_id })
    if (this.#grants.length > 2 * GRANTS_KEPT) this.#grants.splice(0, GRANTS_KEPT)
  }

  #put(clink: StoredClink): void {
    this.#byId.set(clink.clink_id, clink)
    for (const shelf of this.#shelvesFor(clink)) {
      shelf.add({ created: clink.created, seq: clink.seq, clink_id: clink.clink_id })
    }
    if (clink.claim !== undefined && clink.status === 'claimed')
      this.#expiries.push(clink.claim.expires, clink.clink_id)
  }

  #shelvesFor(clink: StoredClink): readonly Shelf[] {
    const names = [shelfOf(clink.group_id, clink.status), shelfOf(clink.group_id, clink.status, { id: clink.for })]
    return names.map((name) => {
      const shelf = this.#shelves.get(name) ?? new Shelf()
      this.#shelves.set(name, shelf)
      return shelf
    })
  }
}
