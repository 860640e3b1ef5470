import type { Instruments } from './instruments.ts'

/** A worker, as it is when it is looked at. */
export interface Observed {
  snapshot(): Readonly<Record<'held' | 'parked' | 'stuck' | 'maybeClaimed', number>>
  readiness(): { readonly ready: boolean }
  gauges(): {
    readonly slots: number
    readonly inFlight: number
    readonly deadLetters: number
    readonly isJournalWritable: boolean
    readonly isPaused: boolean
    readonly circuits: readonly { readonly route: string; readonly isOpen: boolean }[]
    readonly inbox:
      | {
          readonly pending: number
          readonly leftAlone: number
          readonly oldest: number | undefined
          readonly isSaturated: boolean
        }
      | undefined
  }
}

/** Reads what is not counted but is there. */
export function readGauges(instruments: Instruments, worker: Observed): void {
  const { held, maybeClaimed, parked, stuck } = worker.snapshot()
  const { circuits, deadLetters, inbox, inFlight, isJournalWritable, isPaused, slots } = worker.gauges()
  instruments.held.set(held)
  instruments.parked.set(parked)
  instruments.stuck.set(stuck)
  instruments.maybeClaimed.set(maybeClaimed)
  instruments.slots.set(slots)
  instruments.inFlight.set(inFlight)
  instruments.deadLetters.set(deadLetters)
  instruments.journalFailed.set(isJournalWritable ? 0 : 1)
  instruments.paused.set(isPaused ? 1 : 0)
  instruments.ready.set(worker.readiness().ready ? 1 : 0)
  // Routes come and go with reloads.
  instruments.circuits.reset()
  for (const { isOpen, route } of circuits) {
    instruments.circuits.set({ route }, isOpen ? 1 : 0)
    for (const outcome of ['done', 'failed']) instruments.outcomes.add(route, outcome, 0)
  }
  // What is not known is absent.
  const { inboxLeftAlone, inboxOldest, inboxPending, inboxSaturated } = instruments
  for (const gauge of [inboxLeftAlone, inboxOldest, inboxPending, inboxSaturated]) gauge.remove()
  if (inbox !== undefined) {
    inboxPending.set(inbox.pending)
    inboxLeftAlone.set(inbox.leftAlone)
    inboxSaturated.set(inbox.isSaturated ? 1 : 0)
    if (inbox.oldest !== undefined) inboxOldest.set(inbox.oldest / 1_000)
    else if (inbox.pending === 0) inboxOldest.set(0)
  }
  readProcess(instruments)
}

function readProcess({ cpu, memory }: Instruments): void {
  const { system, user } = process.cpuUsage()
  cpu.set((system + user) / 1e6)
  memory.set(process.memoryUsage.rss())
}
