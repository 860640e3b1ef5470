import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep, steadyOf, systemClock, type Clock } from '../../base/clock.ts'
import { CodedError, systemCode } from '../../base/coded-error.ts'
import { humanDuration } from '../../base/duration.ts'
import { tryTo } from '../../base/try-to.ts'
import { linkToWorker, type Link } from '../../control/client.ts'
import { requests, type AnswerOf, type ParamsOf, type RequestName } from '../../control/requests.ts'

/** A link whose other end may stand still. */
export interface PatientLink extends Link {
  /**
   * @param limit milliseconds; left out: as long as the worker is alive, within reason.
   * @throws {CodedError} UNANSWERED when it takes longer; and what `Link` throws.
   */
  ask<Name extends RequestName>(name: Name, params: ParamsOf<Name>, limit?: number): Promise<AnswerOf<Name>>
  /** None runs, and what it has left is asked. Left out: a worker answers. */
  readonly left?: Left
  /** There was nothing to be asked before: no worker has run with the state directory. */
  readonly isNew?: true
  /** Waits for what comes with the worker's end, without a limit, and says how far that is, or that the worker stands still meanwhile. */
  watch<Value>(wait: Promise<Value>): Promise<Value>
}

/** With whom the next worker of a state directory remembers. */
type Left = 'alone' | 'in-a-fleet'

/** Where a worker is reached. */
export interface Place {
  readonly directory: string
  /** Told what people have to know while they wait. */
  readonly told?: ((line: string) => void) | undefined
}

const TIMES = {
  /** Milliseconds after which silence is said, and between two looks whether the worker answers anything. */
  silence: 5_000,
  /** How long an answer to such a look may take. */
  look: 1_000,
  /** When a worker that answers nothing is given up, and one that answers, but not this. */
  still: 30_000,
  busy: 300_000,
}

/** A process that was stopped, or whose event loop is blocked, takes requests and answers none. */
export function patient(link: Link, place: Place, clock: Clock = systemClock(), times = TIMES): PatientLink {
  const waiting = new Waiting(place, clock, times)
  return {
    ...link,
    ask: async (name, params, limit) => {
      const then = requests[name].changes ? MAY_STILL : NOTHING_DONE
      return await waiting.until(link.ask(name, params), { limit, then, isEnd: name === 'stopped' })
    },
    watch: async (wait) => await waiting.until(wait, { limit: Infinity, then: '', isEnd: true }),
  }
}

/** What is there without a worker answers, or throws. */
export function certain(link: Link, left: Left): PatientLink {
  return { ...link, left, watch: async (wait) => await wait }
}

const MAY_STILL =
  'it may still do this when its process goes on; `clink-worker status --audit` tells then whether it has'
const NOTHING_DONE = 'nothing was changed'
export const STILL =
  'the process of the worker stands still: a handler computes without a pause, its disk hangs, or somebody has stopped it (SIGSTOP)'
const BUSY = 'the worker is alive, and is still at it'

/** As many wait to be let in as the kernel takes: whoever was to let them in stands still. */
export function isCrowded(error: Error): boolean {
  return systemCode(error) === 'EAGAIN'
}

interface Waited {
  readonly limit: number | undefined
  /** What became of the wish where nothing is answered. */
  readonly then: string
  /** It comes with the end of the worker, which takes its time. */
  readonly isEnd: boolean
}

/** What a worker has answered meanwhile: how many clinks it has in hand, where it says that. */
interface Sign {
  readonly inHand?: number
}

class Waiting {
  readonly #place: Place
  readonly #clock: Clock
  readonly #times: typeof TIMES
  /** What was said last of the silence that lasts. */
  #said = ''

  constructor(place: Place, clock: Clock, times: typeof TIMES) {
    this.#place = place
    this.#clock = clock
    this.#times = times
  }

  async until<Value>(wait: Promise<Value>, { isEnd, limit, then }: Waited): Promise<Value> {
    const { busy, silence, still } = this.#times
    const line = steadyOf(this.#clock)
    const over = new AbortController()
    const ended = wait.then((value) => ({ value })).finally(() => over.abort())
    const start = line.now()
    let seen = start
    let problem = STILL
    for (;;) {
      const end = limit === undefined ? Math.min(seen + still, start + busy) : start + limit
      const pause = Math.min(Math.max(0, end - line.now()), silence)
      const found = await Promise.race([ended, sleep(this.#clock, pause, over.signal)])
      if (found !== undefined) {
        this.#said = ''
        return found.value
      }
      if (over.signal.aborted) continue
      const silent = humanDuration(line.now() - start)
      if (line.now() >= end) throw new CodedError('UNANSWERED', `no answer for ${silent}: ${problem}; ${then}`)
      const sign = await Promise.race([this.#sign(), ended.then((): Sign => ({}))])
      problem = sign === undefined ? STILL : BUSY
      if (sign !== undefined) seen = line.now()
      if (!over.signal.aborted)
        this.#say(problem, isEnd && sign !== undefined ? stopping(silent, sign) : this.#silent(silent, problem))
    }
  }

  /** Anything at all; undefined: nothing. */
  async #sign(): Promise<Sign | undefined> {
    const link = await linkToWorker(this.#place.directory)
    // Where nobody listens any more, the link that is waited on ends as well.
    if (link instanceof Error) return isCrowded(link) ? undefined : {}
    const looked = link.ask('drained', {}).then(
      ({ inHand }): Sign => ({ inHand }),
      (): Sign => ({}),
    )
    const sign = await Promise.race([looked, sleep(this.#clock, this.#times.look).then(() => undefined)])
    await link.close()
    return sign
  }

  /** @param line for people. */
  #say(problem: string, line: string): void {
    if (this.#said === problem) return
    this.#said = problem
    this.#place.told?.(line)
  }

  /** Nothing was answered for so long. */
  #silent(silent: string, problem: string): string {
    const { directory } = this.#place
    const owner = problem === BUSY ? undefined : tryTo(() => readFileSync(join(directory, 'owner'), 'utf8').trim())
    return `no answer for ${silent}: ${problem}${owner === undefined ? '' : ` (${owner})`}`
  }
}

/** All is well: what runs has `shutdown.drain` to finish. */
function stopping(since: string, { inHand = 0 }: Sign): string {
  const clinks = inHand === 1 ? '1 clink is' : `${inHand} clinks are`
  return `the worker is still stopping after ${since}${inHand === 0 ? '' : `: ${clinks} in hand`}`
}
