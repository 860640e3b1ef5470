import { asError } from '../../../src/base/coded-error.ts'
import type { Batch, Note, SharedStore } from '../../../src/fleet/store.ts'
import { noLimits } from '../../support/memory-limits.ts'
import type { Chance } from '../../simulation/chance.ts'
import type { Host, VirtualTime } from '../../simulation/virtual-time.ts'
import { SharedRows } from './shared-rows.ts'

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
  readonly #rows: SharedRows
  /** When a clink's letter, or a result of it, was there first. */
  readonly givenUpAt = new Map<string, number>()
  readonly computedAt = new Map<string, number>()
  readonly time: VirtualTime
  readonly weather: StoreWeather
  #processes = 0

  constructor(time: VirtualTime, weather: StoreWeather) {
    this.time = time
    this.#rows = new SharedRows(() => time.now)
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
      limits: noLimits,
      prepare: async () => await ask(() => 'the only one'),
      beat: async () => await ask(() => undefined),
      recall: async (ids) => await ask(() => this.#rows.recall(ids, member)),
      write: async (batch) => {
        writes += 1
        const written = process * 1_000_000 + writes
        return await ask(() => this.#write(batch, member, written))
      },
      changes: async (after) => await ask(() => this.#rows.changesAfter(Number(after ?? 0), member)),
      tellPauses: async () => await ask(() => {}),
      noteSiblings: async (url, verdict) => await ask(() => void this.#rows.siblings.set(url, verdict)),
      members: async () => await ask(() => []),
      steps: async (id) => await ask(() => this.#rows.stepsOf(id)),
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
        let done: Answer | undefined
        let refusal = fails ? new Error('the store is away') : undefined
        try {
          done = isCarriedOut ? act() : undefined
        } catch (error) {
          refusal = asError(error)
        }
        // What was carried out has an answer.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        answer(refusal === undefined ? () => resolve(done as Answer) : () => reject(refusal))
      })
    })
  }

  #write(batch: Batch, member: string, written: number): readonly Note[] {
    const after = this.#rows.write(batch, member, written)
    for (const { clink, result } of batch.parts)
      if (result !== null && !this.computedAt.has(clink)) this.computedAt.set(clink, this.time.now)
    for (const { id, kind } of batch.notes)
      if (kind === 'letters' && this.#rows.notes.has(`letters ${id}`) && !this.givenUpAt.has(id))
        this.givenUpAt.set(id, this.time.now)
    return after
  }
}
