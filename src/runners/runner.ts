import type { Target } from '../handlers/route.ts'
import type { Envelope } from './envelope.ts'
import type { Outcome } from './outcome.ts'
import type { TaskServices } from './services.ts'

export type { StepResult, TaskServices } from './services.ts'

/** Executes handlers of one kind. Whatever a handler is written in, its ending is data here. */
export interface Runner {
  /** Never throws: what cannot be begun is `unavailable`. */
  start(task: Task): Running
  /** Ends what it keeps for later starts, of which there are no more. Resolves when nothing of it is left. */
  stop?(): Promise<void>
}

export interface Running {
  /** Resolves when its code has really ended, by `kill` as well; never rejects. */
  readonly ended: Promise<Outcome>
  /** Resolves when its code begins, where that takes its time. Left out: it has begun. */
  readonly begun?: Promise<void>
  /** Ends its code whatever it does. Left out: nobody can. */
  kill?(): void
}

/** One run of a handler on one clink, with all that it may know and use. */
export interface Task {
  readonly target: Target
  readonly envelope: Envelope
  /** What a program that it starts needs beside the environment of the worker: the key, where the route says so. Nobody else is given it. */
  readonly env: Readonly<Record<string, string>>
  readonly services: TaskServices
  readonly signals: {
    /** The run must end: `reason` is a `HandlerAborted`. */
    readonly abort: AbortSignal
    /** The run should end soon. */
    readonly draining: AbortSignal
  }
}
