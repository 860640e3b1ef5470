import { edited, joined } from '../../../src/fleet/letter-edits.ts'
import type { Batch, ChangedNote, Changes, Note, Part, Recalled } from '../../../src/fleet/store.ts'
import type { DeadLetter } from '../../../src/ledger/dead-letters.ts'
import type { Row } from '../../../src/ledger/rows.ts'
import type { FleetPause } from '../../../src/ledger/fleet.ts'
import type { KeptStep } from '../../../src/ledger/step-table.ts'
import { stepKey } from '../../../src/ledger/step-table.ts'

/** `at`: when it was written. */
type PartRow = Omit<Part, 'clink'> & { readonly at: number }

/** The rows that a fleet shares, as a store has to keep them. */
export class SharedRows {
  readonly parts = new Map<string, Map<string, PartRow>>()
  readonly notes = new Map<
    string,
    Note & { readonly born: readonly string[]; readonly changed: number; readonly at: number }
  >()
  /** Those of the fleet: what stands of each, at a moment. */
  readonly pauses = new Map<string | undefined, (now: number) => FleetPause>()
  readonly steps = new Map<string, Map<string, KeptStep>>()
  /** What is known of siblings, by the address of the service. */
  readonly siblings = new Map<string, string>()
  /** When members that have not left showed themselves. */
  readonly members = new Map<string, number>()
  /** The last write of each member. */
  readonly #last = new Map<string, number>()
  readonly #now: () => number
  #changes = 0

  /** @param now its own clock, in milliseconds, by which clinks are left alone: members have others. */
  constructor(now: () => number) {
    this.#now = now
  }

  recall(ids: readonly string[], member: string): Recalled {
    const parts = ids.flatMap((clink) =>
      [...(this.parts.get(clink) ?? [])].flatMap(([by, part]) =>
        by === member ? [] : [{ clink, member: by, ...part }],
      ),
    )
    const kinds = ['letters', 'cooling', 'own']
    const notes = ids.flatMap((id) =>
      kinds.flatMap((kind) => {
        const note = this.notes.get(`${kind} ${id}`)
        return note === undefined ? [] : kind === 'cooling' ? { ...note, left: this.#restOf(note) } : note
      }),
    )
    const mine = ids.filter((id) => this.parts.get(id)?.has(member) === true)
    return { parts, mine, notes: notes.filter(({ row }) => row !== null) }
  }

  /**
   * @param written the number of the write.
   * @throws where a later write of the member was carried out: then this one is not.
   */
  write({ notes, over, overFor, parts, steps }: Batch, member: string, written: number): readonly Note[] {
    if (written < (this.#last.get(member) ?? 0)) throw new Error('another process of this worker has written since')
    this.#last.set(member, written)
    const kept = new Set(parts.map(({ clink }) => clink))
    for (const clink of over)
      for (const [by, { at }] of this.parts.get(clink) ?? [])
        if (by === member ? !kept.has(clink) : at <= this.#now() - (overFor?.get(clink) ?? 0))
          this.parts.get(clink)?.delete(by)
    for (const { clink, isNew, ...part } of parts) {
      const all = this.parts.get(clink) ?? new Map<string, PartRow>()
      if (!isNew && !all.has(member)) continue
      this.parts.set(clink, all)
      all.set(member, { ...part, at: this.#now() })
    }
    const changed = notes.flatMap((note) => this.#note(note) ?? [])
    for (const clink of steps.dropped) this.steps.delete(clink)
    for (const { clink, ...step } of steps.removed) this.steps.get(clink)?.delete(stepKey(step))
    for (const { clink, ...step } of steps.kept)
      this.steps.set(clink, new Map([...(this.steps.get(clink) ?? []), [stepKey(step), step]]))
    return changed
  }

  /** @returns how a letter is now; undefined: it is gone, or is none. */
  #note({ edit, isNew, ...note }: ChangedNote): Note | undefined {
    const key = `${note.kind} ${note.id}`
    const before = this.notes.get(key)
    const { born: bornThere = [], row: there = null } = before ?? {}
    const born = edit?.born
    const wasBorn = born !== undefined && bornThere.includes(born)
    const keep = (row: string | null): void => {
      this.#changes += 1
      this.notes.set(key, {
        ...note,
        row,
        born: born === undefined || wasBorn ? bornThere : [...bornThere, born],
        changed: this.#changes,
        at: this.#now(),
      })
    }
    if (note.kind === 'cooling' && isNew && this.#restOf(before) > lengthOf(note.row)) return undefined
    if (isNew && !wasBorn) {
      const here = note.row !== null && note.kind === 'letters' ? letterOf(note.row) : undefined
      const row = here === undefined ? note.row : textOf(joined(letterOf(there), here))
      if (row !== null) keep(row)
      return here === undefined ? undefined : { ...note, row }
    }
    if (there === null) return undefined
    const row = edit === undefined ? note.row : textOf(edited(letterOf(there) ?? {}, letterOf(note.row), edit))
    keep(row)
    return { ...note, row }
  }

  /** What is left of a time for which a clink is left alone. */
  #restOf(note: { readonly row: string | null; readonly at: number } | undefined): number {
    return note === undefined ? -Infinity : lengthOf(note.row) - (this.#now() - note.at)
  }

  changesAfter(after: number, member: string, now = 0): Changes {
    const kinds = new Set(['letters', 'audit'])
    const notes = [...this.notes.values()].filter(({ changed, kind }) => kinds.has(kind) && changed > after)
    const isWhole = after === 0
    const pauses = [...this.pauses.values()].map((of) => of(now)).filter(({ left = Infinity }) => left > 0)
    const others = [...this.members].filter(([name]) => name !== member)
    const members = new Map(others.map(([name, seen]) => [name, this.#now() - seen]))
    const here = { next: String(this.#changes), isWhole, pauses, siblings: new Map(this.siblings), members }
    return { ...here, notes: isWhole ? notes.filter(({ row }) => row !== null) : notes }
  }

  stepsOf(clinkId: string): readonly KeptStep[] {
    return [...(this.steps.get(clinkId)?.values() ?? [])]
  }
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what members have written
const letterOf = (row: string | null): Partial<DeadLetter> | undefined =>
  row === null ? undefined : (JSON.parse(row) as Partial<DeadLetter>)

const textOf = (row: object | undefined): string | null => (row === undefined ? null : JSON.stringify(row))

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what members have written
const lengthOf = (row: string | null): number => (row === null ? -Infinity : (JSON.parse(row) as Row<'cooling'>).for)
