import type { Batch, Changes, Note, Part, Recalled, SharedStore } from '../../../src/fleet/store.ts'
import type { KeptStep } from '../../../src/ledger/step-table.ts'
import { stepKey } from '../../../src/ledger/step-table.ts'
import type { Chance } from '../../simulation/chance.ts'
import type { Host, VirtualTime } from '../../simulation/virtual-time.ts'

/** How the store behaves. Times are virtual milliseconds. */
export interface StoreWeather {
  /** The longest that a request and its answer take each. */
  readonly slowest: number
  /** Part of the requests that fail, half of them after they were carried out. */
  readonly failing: number
  readonly outages: readonly { readonly from: number; readonly to: number }[]
  /** After it nothing goes wrong any more. */
  readonly until: number
}

/** What a fleet shares, in the memory of the test: what a store has to do, without a server. */
export class SharedMemory {
  readonly parts = new Map<string, Map<string, Omit<Part, 'clink'> & { readonly written: number }>>()
  readonly notes = new Map<string, Note & { readonly changed: number }>()
  readonly steps = new Map<string, Map<string, KeptStep>>()
  /** When a clink's letter, or a result of it, was there first. */
  readonly givenUpAt = new Map<string, number>()
  readonly computedAt = new Map<string, number>()
  readonly time: VirtualTime
  readonly weather: StoreWeather
  #changes = 0
  #processes = 0

  constructor(time: VirtualTime, weather: StoreWeather) {
    this.time = time
    this.weather = weather
  }

  /** As a process of a member sees it. What a dead one has sent may still be carried out. */
  for(member: string, host: Host, chance: Chance): SharedStore {
    this.#processes += 1
    const process = this.#processes
    let writes = 0
    const ask = async <Answer>(act: () => Answer): Promise<Answer> => await this.#ask(act, host, chance)
    return {
      place: 'memory',
      prepare: async () => await ask(() => {}),
      beat: async () => await ask(() => undefined),
      recall: async (ids) => await ask(() => this.#recall(ids, member)),
      write: async (batch) => {
        writes += 1
        const written = process * 1_000_000 + writes
        await ask(() => this.#write(batch, member, written))
      },
      changes: async (after) => await ask(() => this.#changed(Number(after ?? 0))),
      steps: async (id) => await ask(() => [...(this.steps.get(id)?.values() ?? [])]),
      prune: async () => await ask(() => {}),
      isOfTheData: () => false,
      close: async () => await Promise.resolve(),
    }
  }

  async #ask<Answer>(act: () => Answer, host: Host, chance: Chance): Promise<Answer> {
    const { failing, outages, slowest, until } = this.weather
    return await new Promise((resolve, reject) => {
      const sent = this.time.now
      const isCalm = sent >= until
      const takes = (): number => (isCalm || chance.is(0.7) ? 1 : chance.between(0, slowest))
      const isAway = !isCalm && outages.some(({ from, to }) => from <= sent && sent < to)
      const fails = isAway || (!isCalm && chance.is(failing))
      const isCarriedOut = !fails || (!isAway && chance.is(0.5))
      const answer = (tell: () => void): void => void this.time.at(this.time.now + takes(), tell, host)
      this.time.at(sent + takes(), () => {
        const done = isCarriedOut ? act() : undefined
        // What was carried out has an answer.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        answer(fails ? () => reject(new Error('the store is away')) : () => resolve(done as Answer))
      })
    })
  }

  #recall(ids: readonly string[], member: string): Recalled {
    const parts = ids.flatMap((clink) =>
      [...(this.parts.get(clink) ?? [])].flatMap(([by, part]) => (by === member ? [] : [{ clink, ...part }])),
    )
    const kinds = ['letters', 'cooling', 'own']
    const notes = ids.flatMap((id) => kinds.flatMap((kind) => this.notes.get(`${kind} ${id}`) ?? []))
    return { parts, notes: notes.filter(({ row }) => row !== null) }
  }

  #write({ notes, over, parts, steps }: Batch, member: string, written: number): void {
    const kept = new Set(parts.map(({ clink }) => clink))
    for (const clink of over)
      for (const by of this.parts.get(clink)?.keys() ?? [])
        if (by !== member || !kept.has(clink)) this.parts.get(clink)?.delete(by)
    for (const { clink, ...part } of parts) {
      const all = this.parts.get(clink) ?? new Map<string, Omit<Part, 'clink'> & { readonly written: number }>()
      this.parts.set(clink, all)
      if ((all.get(member)?.written ?? 0) < written) all.set(member, { ...part, written })
      if (part.result !== null && !this.computedAt.has(clink)) this.computedAt.set(clink, this.time.now)
    }
    for (const { isNew, ...note } of notes) {
      const key = `${note.kind} ${note.id}`
      const isThere = (this.notes.get(key)?.row ?? null) !== null
      if (!isThere && !(isNew && note.row !== null)) continue
      this.#changes += 1
      this.notes.set(key, { ...note, changed: this.#changes })
      if (note.kind === 'letters' && !this.givenUpAt.has(note.id)) this.givenUpAt.set(note.id, this.time.now)
    }
    for (const clink of steps.dropped) this.steps.delete(clink)
    for (const { clink, ...step } of steps.removed) this.steps.get(clink)?.delete(stepKey(step))
    for (const { clink, ...step } of steps.kept)
      this.steps.set(clink, new Map([...(this.steps.get(clink) ?? []), [stepKey(step), step]]))
  }

  #changed(after: number): Changes {
    const notes = [...this.notes.values()].filter(({ changed, kind }) => kind === 'letters' && changed > after)
    const isWhole = after === 0
    return { next: String(this.#changes), isWhole, notes: isWhole ? notes.filter(({ row }) => row !== null) : notes }
  }
}
