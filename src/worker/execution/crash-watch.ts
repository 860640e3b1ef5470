import type { Cancel } from '../../base/clock.ts'
import { humanDuration } from '../../base/duration.ts'
import type { Memory } from '../../ledger/memory.ts'
import type { HeldClaim } from '../../ledger/process.ts'
import type { WorkerContext } from '../context.ts'
import { noticeOf, often } from './given-up.ts'

/** So many crashes in a row make suspects of the clinks that were running. */
const IN_A_ROW = 2
/** A process that has run for so long, in milliseconds, has not crashed for the same reason as the one before it. */
const LONG_LIFE = 3_600_000
/**
 * Milliseconds for which a suspect runs alone at most after that many crashes; four times as long after each further one. Others must not
 * wait for ever for one that never ends, and a clink may take its time to kill.
 */
const ALONE = 60_000
/** Clinks are remembered for so long after their runs. */
export const AFTERMATH = 10_000
/** So many of them. */
const REMEMBERED = 200

/** A clink in hand when the last process ended. */
export type InHand = Pick<HeldClaim, 'clink' | 'route' | 'running'>

type CrashContext = Pick<WorkerContext, 'clock' | 'emit' | 'ledger' | 'settings' | 'signals'>

export type Running = Pick<HeldClaim, 'clink' | 'route'>

interface Starting extends Pick<HeldClaim, 'clink'> {
  readonly memory: Pick<Memory, 'tried'>
  begin(isAlone: boolean): Promise<number>
}

/**
 * Tells a crash from a stop by a mark that only a stop sets, and finds the clink that kills the process: after two crashes in a
 * row what was running, or had ended a moment ago, is run alone, one clink at a time, and only a crash while alone counts against a clink.
 * Those that merely ran beside it lose nothing.
 *
 * A crash is in a row with the one before it when the process had lived for less than an hour, or when a clink was running that had
 * been running at an earlier crash as well: a clink may take its time to kill. That clinks were settled in between says nothing, since those
 * beside the killer are settled all the time.
 *
 * After an uncaught error the worker still gives back what it holds, and handlers may heed their abort. It is a crash all the same,
 * so what was running is noted before that.
 */
export class CrashWatch {
  readonly #context: CrashContext
  /** Clinks whose runs ended a short while ago, and may have left something behind that ends the process; until when that is so. */
  readonly #ended = new Map<string, number>()
  /** Suspects that still run and no longer alone. */
  readonly #outlasting = new Set<string>()
  #cancel: Cancel = () => {}
  #hasBegun = false
  #hasFault = false

  constructor(context: CrashContext) {
    this.#context = context
  }

  /**
   * At the start, before anything runs. What it notes is one commit: a crash in the middle of it changes nothing.
   *
   * @param isOurs false: what the ledger knows was written by another worker, whose end is no crash of ours.
   */
  async begin(inHand: readonly InHand[], isOurs = true): Promise<void> {
    this.#hasBegun = true
    const { ledger } = this.#context
    const running = inHand.filter((one) => one.running)
    const givenBack = (ledger.process.fact('running') ?? '').split('\n').filter((id) => id !== '')
    const ids = [...new Set([...running.map(({ clink }) => clink.clink_id), ...givenBack])]
    const ended = (ledger.process.fact('ended') ?? '').split('\n').filter((id) => id !== '')
    const crashed = isOurs && ledger.process.fact('run') === 'under way'
    const crashes = crashed ? (this.#isInARow(ids) ? Number(ledger.process.fact('crashes') ?? 0) : 0) + 1 : 0
    const alone = ledger.process.fact('alone')
    const killer = running.find(({ clink }) => clink.clink_id === alone) ?? ledger.process.aftermath
    const since = String(this.#context.clock.wall())
    const forgotten = { alone: '', running: '', ended: '', aftermath: '' }
    const writes = [ledger.process.note({ run: 'under way', since, crashes: String(crashes), ...forgotten })]
    // Whoever ended: a start whose end nobody knows does not count against its clink.
    if (crashed || !isOurs)
      writes.push(...running.map(async ({ clink }) => await ledger.outcome(clink.clink_id, { is: 'excused' })))
    // Their starts were taken back, and are noted again as what they were, for a later crash to know of this one.
    const noted = givenBack.filter(
      (id) => !running.some(({ clink }) => clink.clink_id === id) && !ledger.letters.has(id),
    )
    writes.push(...noted.map(async (id) => await ledger.outcome(id, { is: 'given-back' })))
    const verdict = crashed ? this.#count(killer) : undefined
    if (verdict !== undefined) writes.push(verdict.written)
    if (crashes >= IN_A_ROW) {
      const givenUp = verdict?.isGivenUp === true ? killer?.clink.clink_id : undefined
      const suspects = [...new Set([...ids, ...ended])].filter(
        (id) => id !== givenUp && (!ledger.letters.has(id) || ledger.letters.rerunOf(id) !== undefined),
      )
      writes.push(...suspects.map(async (id) => await ledger.outcome(id, { is: 'suspect' })))
    }
    await Promise.all(writes)
    if (!crashed) return
    this.#context.emit({ event: 'worker.crashed', crashes, running: ids })
    verdict?.say()
  }

  /**
   * A clink is about to run. That a suspect runs alone is noted with its start; in a fleet when the others know of that, which may take its time: a crash until
   * then is not its own.
   *
   * @returns which start it is.
   */
  async start(inHand: Starting): Promise<number> {
    const { ledger } = this.#context
    const { clink, memory } = inHand
    const isAlone = memory.tried.isSuspect && this.canBlame
    const isLater = isAlone && ledger.letters.areShared
    const attempt = await inHand.begin(isAlone && !isLater)
    if (isLater && ledger.isHealthy && !this.#hasFault) await ledger.process.note({ alone: clink.clink_id })
    return attempt
  }

  /** Its run has ended, and it stays alone for a while: a crash meanwhile is still its own, unless it is given up for what it came to. */
  async endedAlone(one: Running): Promise<void> {
    if (this.#hasFault) return
    await Promise.all([this.ended(one.clink.clink_id), this.#context.ledger.process.noteAftermath(one)])
  }

  /** A run has ended and its clink may come again: what it left behind may still end the process. */
  async ended(clinkId: string): Promise<void> {
    this.#ended.delete(clinkId)
    this.#ended.set(clinkId, this.#context.clock.now() + AFTERMATH)
    await this.#noteEnded()
  }

  async #noteEnded(): Promise<void> {
    if (this.#hasFault) return
    const now = this.#context.clock.now()
    for (const [id, until] of this.#ended) if (until <= now) this.#ended.delete(id)
    const [next] = this.#ended.values()
    this.#cancel()
    if (next !== undefined) this.#cancel = this.#context.clock.at(next, () => void this.#noteEnded())
    await this.#context.ledger.process.note({ ended: [...this.#ended.keys()].slice(-REMEMBERED).join('\n') })
  }

  /** The suspect's run has ended a while ago and the process is still here. */
  async survived(clinkId: string): Promise<void> {
    if (this.#hasFault) return
    const { process } = this.#context.ledger
    const isBlamed = process.fact('alone') === clinkId || process.aftermath?.clink.clink_id === clinkId
    await Promise.all([
      isBlamed ? process.note({ alone: '', aftermath: '' }) : undefined,
      this.#context.ledger.outcome(clinkId, { is: 'survived' }),
    ])
  }

  /** It could not be begun: that the process is still here does not clear a suspect, and a crash from now on is not its own. */
  async notBegun(clinkId: string): Promise<void> {
    const { process } = this.#context.ledger
    if (!this.#hasFault && process.fact('alone') === clinkId) await process.note({ alone: '' })
  }

  /** Milliseconds for which a suspect runs alone at most. */
  get aloneFor(): number {
    return ALONE * 4 ** (this.#crashes - IN_A_ROW)
  }

  /** Why nothing is claimed while so many suspects wait or run alone, for people. The last one may have stopped in order since. */
  why(suspects: number): string {
    const who = suspects === 1 ? '1 clink that was' : `${suspects} clinks that were`
    const each = humanDuration(this.aloneFor + AFTERMATH)
    return `${who} in hand when the process ended unexpectedly ${suspects === 1 ? 'runs' : 'run'} alone first, one at a time and for ${each} each at most, to find one that ends it: nothing is claimed meanwhile`
  }

  /** So many in a row have made the suspects. A stop since then begins a count of its own. */
  get #crashes(): number {
    return Math.max(IN_A_ROW, Number(this.#context.ledger.process.fact('crashes') ?? 0))
  }

  /** Whether a crash while a suspect runs by its turn would be its own. */
  get canBlame(): boolean {
    return this.#outlasting.size === 0
  }

  /** The suspect has run alone for so long. Resolves when the next process would not blame it. */
  async outlasted(clinkId: string): Promise<void> {
    this.#outlasting.add(clinkId)
    const { process } = this.#context.ledger
    if (!this.#hasFault && process.fact('alone') === clinkId) await process.note({ alone: '' })
  }

  /** Its code has ended. */
  codeEnded(clinkId: string): void {
    this.#outlasting.delete(clinkId)
  }

  /** An uncaught error ends the process while these run. They are about to be given back. */
  async fault(running: readonly Running[]): Promise<void> {
    this.#hasFault = true
    this.#cancel()
    const { process } = this.#context.ledger
    const alone = process.fact('alone')
    const verdict = this.#count(running.find(({ clink }) => clink.clink_id === alone) ?? process.aftermath)
    const ids = running.map(({ clink }) => clink.clink_id)
    await Promise.all([process.note({ running: ids.join('\n'), alone: '', aftermath: '' }), verdict?.written])
    verdict?.say()
  }

  /** A stop in order: the next start is not after a crash, unless this one has ended before it knew of an earlier one. */
  async end(): Promise<void> {
    if (!this.#hasBegun) return
    this.#cancel()
    await this.#context.ledger.process.note({ run: 'stopped', crashes: '0' })
  }

  #isInARow(running: readonly string[]): boolean {
    const since = Number(this.#context.ledger.process.fact('since') ?? 0)
    return (
      this.#context.clock.wall() - since < LONG_LIFE ||
      running.some((id) => this.#context.ledger.attemptsOf(id).excused > 0)
    )
  }

  /** Counts a crash against the clink that ran alone, and gives it up when it was one too many. Undefined: there was none. */
  #count(killer: Running | undefined): { written: Promise<void>; isGivenUp: boolean; say: () => void } | undefined {
    if (killer === undefined) return undefined
    const { ledger, settings } = this.#context
    const { onExhausted, crashes: limit } = settings.current.retry
    const { clink, route } = killer
    const id = clink.clink_id
    // What its run came to was enough.
    if (ledger.letters.has(id) && ledger.letters.rerunOf(id) === undefined) return undefined
    const { crashes: before, errors } = ledger.attemptsOf(id)
    const crashes = before + 1
    if (crashes < limit) return { written: ledger.outcome(id, { is: 'crashed' }), isGivenUp: false, say: () => {} }
    const reason = `the process ended ${often(crashes)} while this clink ran alone`
    // Of one that was run again its sender knows already, or is still to be told.
    const { notice, tell } = ledger.letters.get(id) ?? {
      tell: onExhausted,
      notice: noticeOf('process-ended', { clinkId: id }),
    }
    const told = { tell, ...(tell === 'complete' && notice !== undefined && { notice }) }
    const letter = { clink, route, attempts: crashes, reason, errors, at: this.#context.clock.wall(), ...told }
    return {
      written: ledger.deadLetter(letter),
      isGivenUp: true,
      say: () => {
        this.#context.emit({ event: 'clink.deadLettered', clink, reason, attempts: crashes })
        this.#context.signals.deadLettered.say(clink)
      },
    }
  }
}
