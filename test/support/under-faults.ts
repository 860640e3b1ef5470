import type { FaultAction } from '../../src/emulator/emulator.ts'
import type { Command, Site } from './command.ts'
import { until } from './until.ts'

const FAULTS: readonly FaultAction[] = [{ status: 503 }, { cut: 'before' }, { cut: 'after' }, { truncate: 10 }]
const OPERATIONS = ['check_inbox', 'claim_clink', 'complete_clink', 'release_clink'] as const

/** From now on each of the calls that work is made of fails now and then, in each way. */
export function failNowAndThen(site: Site): void {
  const each = OPERATIONS.flatMap((operation) => FAULTS.map((fault) => ({ operation, fault })))
  for (const [n, { fault, operation }] of each.entries())
    site.fault({ operation, probability: 0.03, seed: n + 1 }, fault)
}

export async function completed(site: Site, ids: readonly string[], command: Command): Promise<void> {
  await until(
    () => ids.every((id) => site.emulator.clink(id)?.status === 'completed'),
    () => `all are completed:\n${command.output.slice(-3_000)}`,
    150_000,
  )
}
