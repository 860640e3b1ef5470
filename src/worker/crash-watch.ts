import type { Emit } from '../events.ts'
import type { HeldClaim, Ledger } from './ledger.ts'

/** So many crashes in a row make suspects of the clinks that were running. */
const IN_A_ROW = 2

type Running = Pick<HeldClaim, 'clink' | 'route'>

/**
 * Tells a crash from a stop by a mark that only a stop sets, and finds the clink that kills the process: after two crashes in a
 * row what was running is run alone, one clink at a time, and only a crash while alone counts against a clink. Those that
 * merely ran beside it lose nothing.
 *
 * After an uncaught error the worker still gives back what it holds, and handlers may heed their abort. It is a crash all the same,
 * so what was running is noted before that.
 */
export class CrashWatch {
  readonly #ledger: Ledger
  readonly #limit: number
  readonly #emit: Emit
  #hasFault = false

  /** @param limit crashes while alone after which a clink is given up. */
  constructor(ledger: Ledger, limit: number, emit: Emit) {
    this.#ledger = ledger
    this.#limit = limit
    this.#emit = emit
  }

  /** At the start, before anything runs. */
  async begin(claims: readonly HeldClaim[]): Promise<void> {
    const crashed = this.#ledger.fact('run') === 'under way'
    const crashes = crashed ? Number(this.#ledger.fact('crashes') ?? 0) + 1 : 0
    const running = claims.filter((claim) => claim.running)
    const alone = this.#ledger.fact('alone') ?? ''
    const givenBack = (this.#ledger.fact('running') ?? '').split('\n').filter((id) => id !== '')
    await Promise.all([
      this.#ledger.noteFact('running', ''),
      this.#ledger.noteFact('run', 'under way'),
      this.#ledger.noteFact('crashes', String(crashes)),
      this.#ledger.noteFact('alone', ''),
    ])
    if (!crashed) return
    const ids = [...new Set([...running.map(({ clink }) => clink.clink_id), ...givenBack])]
    this.#emit({ event: 'worker.crashed', crashes, running: ids })
    await Promise.all(running.map(({ clink }) => this.#ledger.excuse(clink.clink_id)))
    const killer = running.find(({ clink }) => clink.clink_id === alone)
    if (killer !== undefined) await this.#count(killer)
    if (crashes < IN_A_ROW) return
    const others = ids.filter((id) => !this.#ledger.isGivenUp(id))
    await Promise.all(others.map((id) => this.#ledger.suspect(id)))
  }

  /** A suspect is about to run with nothing beside it. */
  async runsAlone(clinkId: string): Promise<void> {
    await this.#ledger.noteFact('alone', clinkId)
  }

  /** The suspect's run has ended and the process is still here. */
  async survived(clinkId: string): Promise<void> {
    if (this.#hasFault) return
    await Promise.all([this.#ledger.noteFact('alone', ''), this.#ledger.clear(clinkId)])
  }

  /** An uncaught error ends the process while these run. They are about to be given back. */
  async fault(running: readonly Running[]): Promise<void> {
    this.#hasFault = true
    const killer = running.find(({ clink }) => clink.clink_id === this.#ledger.fact('alone'))
    await Promise.all([
      this.#ledger.noteFact('running', running.map(({ clink }) => clink.clink_id).join('\n')),
      this.#ledger.noteFact('alone', ''),
      killer === undefined ? undefined : this.#count(killer),
    ])
  }

  /** A stop in order: the next start is not after a crash. */
  async end(): Promise<void> {
    await Promise.all([this.#ledger.noteFact('run', 'stopped'), this.#ledger.noteFact('crashes', '0')])
  }

  async #count({ clink, route }: Running): Promise<void> {
    const crashes = await this.#ledger.countCrash(clink.clink_id)
    if (crashes < this.#limit) return
    const reason = `the process ended ${crashes} times while this clink ran alone`
    const errors = this.#ledger.errorsOf(clink.clink_id)
    await this.#ledger.bury({ clink, route, attempts: crashes, reason, errors, tell: 'release', at: Date.now() })
    this.#emit({ event: 'clink.deadLettered', clink, reason, attempts: crashes })
  }
}
