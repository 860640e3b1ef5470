/** What is read of a worker that has nothing in hand, after a collection of garbage. */
export interface Sample {
  /** Completed so far. */
  readonly clinks: number
  /** Of the process, in MiB, as is `heap`; `external`: buffers and what else is not in the heap. */
  readonly rss: number
  readonly heap: number
  readonly external: number
  /** Files and sockets of the process, and what keeps its loop alive. */
  readonly descriptors: number
  readonly handles: number
  readonly timers: number
  readonly threads: number
  /** Files of the journal, in MiB. */
  readonly journal: number
  /** Bytes of its answer to Prometheus. */
  readonly metrics: number
  /** Of the round that has ended: bytes of the log, and of the logs of clinks, a clink. */
  readonly log: number
  readonly clinkLogs: number
  /** Milliseconds by which its loop was late, on average. */
  readonly late: number
  /** Microseconds of processor time a clink. */
  readonly cpu: number
}

export type Series = Exclude<keyof Sample, 'clinks'>

/** A series may grow by a tenth, and by this much beside: what one more file, timer or page of memory makes, and how readings differ. */
const SLACK: Readonly<Record<Series, number>> = {
  rss: 5,
  heap: 0.5,
  external: 0.5,
  descriptors: 2,
  handles: 2,
  timers: 3,
  threads: 2,
  journal: 0.25,
  metrics: 500,
  log: 20,
  clinkLogs: 5,
  late: 3,
  cpu: 100,
}
export const SERIES = Object.keys(SLACK) as readonly Series[]
const MAY_GROW = 1.1
/** Parts of a run. The first is for warming up: V8 compiles, and what has a fixed size fills. */
const PARTS = 5

export interface Growth {
  readonly series: Series
  readonly from: number
  readonly to: number
  readonly grows: boolean
}

/** Compares the second fifth of a run with its last one. */
export function judge(samples: readonly Sample[]): readonly Growth[] {
  const size = Math.floor(samples.length / PARTS)
  if (size === 0) throw new Error(`a run has at least ${PARTS} samples, not ${samples.length}`)
  const [early, last] = [samples.slice(size, 2 * size), samples.slice(-size)]
  return SERIES.map((series) => {
    const [from, to] = [levelOf(series, early), levelOf(series, last)]
    return { series, from, to, grows: to > from * MAY_GROW + SLACK[series] }
  })
}

/**
 * The least that was read: memory goes up and down with threads and with what the allocator keeps, sockets with what was just done, and times with
 * what else the machine does. What leaks raises the least as well.
 */
function levelOf(series: Series, samples: readonly Sample[]): number {
  return Math.min(...samples.map((sample) => sample[series]))
}
