import { randomBytes } from 'node:crypto'
import { CodedError } from '../base/coded-error.ts'
import { Recent } from '../base/recent.ts'
import type { Outcome } from './outcome.ts'
import type { Task } from './runner.ts'
import type { Asked } from './task-requests.ts'

/** With what somebody asks for one run. */
export interface Pass {
  /** Where: the path of a socket, or a URL. */
  readonly address: string
  readonly token: string
  /** Until when the run was told to sleep. */
  readonly asleep: Extract<Outcome, { outcome: 'asleep' }> | undefined
  /** The run is over: from now on nothing is done for whoever has the token. */
  end(): void
}

/** How many runs that are over are told from tokens that never were. */
const REMEMBERED = 10_000

/** Which run is asked about with which token. */
export class TaskTokens {
  readonly #open = new Map<string, Asked & { readonly over: AbortController }>()
  readonly #over = new Recent<true>(REMEMBERED)

  open({ services, signals }: Pick<Task, 'services' | 'signals'>, address: string): Pass {
    const token = randomBytes(16).toString('hex')
    const over = new AbortController()
    const draining = AbortSignal.any([signals.draining, over.signal])
    let asleep: Pass['asleep']
    const fellAsleep: Asked['fellAsleep'] = (outcome) => {
      asleep = outcome
    }
    this.#open.set(token, { services, signals: { abort: signals.abort, draining }, fellAsleep, over })
    return {
      address,
      token,
      get asleep() {
        return asleep
      },
      end: () => this.#end(token),
    }
  }

  /** @throws {CodedError} USAGE when no run has the token, or its run is over. */
  taskOf(token: string): Asked {
    const task = this.#open.get(token)
    if (task !== undefined) return task
    const why = this.#over.has(token)
      ? 'the run of this token is over: nothing is done for it any more'
      : 'no run of this worker has this token'
    throw new CodedError('USAGE', why)
  }

  endAll(): void {
    for (const token of this.#open.keys()) this.#end(token)
  }

  #end(token: string): void {
    this.#open.get(token)?.over.abort()
    if (this.#open.delete(token)) this.#over.set(token, true)
  }
}
