import { globSync, readdirSync } from 'node:fs'

/** Some files of the worker, and the tests that have to notice whatever is changed in them. All of those run in one process. */
export interface Part {
  readonly name: string
  readonly files: readonly string[]
  readonly judges: readonly string[]
  /** It takes hours: it is left out unless it is named. */
  readonly isLong?: true
}

/** The heart: each room of it is judged by its tests, and by whole workers. */
const rooms = readdirSync('src/worker', { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

export const parts: readonly Part[] = [
  {
    name: 'table',
    files: [
      'src/base/backoff.ts',
      'src/worker/capacity/blame.ts',
      'src/worker/capacity/circuit-breaker.ts',
      'src/worker/capacity/route-pause.ts',
      'src/worker/execution/given-up.ts',
      'src/worker/execution/outcome.ts',
    ],
    judges: [
      'test/base/backoff.test.ts',
      'test/worker/capacity/circuit-breaker.test.ts',
      'test/worker/capacity/route-pause.test.ts',
      'test/worker/execution/outcome.test.ts',
    ],
  },
  {
    name: 'lease',
    files: [
      'src/worker/claim/journalled-claim.ts',
      'src/worker/claim/keeper-machine.ts',
      'src/worker/claim/lease.ts',
      'src/worker/claim/terms.ts',
    ],
    judges: [
      'test/worker/claim/journalled-claim.test.ts',
      'test/worker/claim/keeper-machine-ends.test.ts',
      'test/worker/claim/keeper-machine.test.ts',
      'test/worker/claim/lease.test.ts',
      'test/worker/claim/terms.test.ts',
    ],
  },
  {
    name: 'ledger',
    files: [
      'src/ledger/attempt-notes.ts',
      'src/ledger/audit.ts',
      'src/ledger/choice.ts',
      'src/ledger/cooling.ts',
      'src/ledger/dead-letters.ts',
      'src/ledger/fleet-limits.ts',
      'src/ledger/late-results.ts',
      'src/ledger/ledger.ts',
      'src/ledger/letter-acts.ts',
      'src/ledger/memory-steps.ts',
      'src/ledger/memory-tables.ts',
      'src/ledger/memory.ts',
      'src/ledger/page.ts',
      'src/ledger/pauses.ts',
      'src/ledger/process.ts',
      'src/ledger/programs.ts',
      'src/ledger/progress.ts',
      'src/ledger/remembered.ts',
      'src/ledger/sightings.ts',
      'src/ledger/sleep.ts',
      'src/ledger/step-table.ts',
      'src/ledger/steps.ts',
      'src/ledger/table.ts',
      'src/ledger/tables.ts',
    ],
    judges: [
      'test/ledger/attempt-notes.test.ts',
      'test/ledger/audit.test.ts',
      'test/ledger/choice.test.ts',
      'test/ledger/cooling.test.ts',
      'test/ledger/dead-letters.test.ts',
      'test/ledger/ends.test.ts',
      'test/ledger/late-results.test.ts',
      'test/ledger/ledger-in-a-fleet.test.ts',
      'test/ledger/ledger.test.ts',
      'test/ledger/letter-acts.test.ts',
      'test/ledger/memory.test.ts',
      'test/ledger/own-clocks.test.ts',
      'test/ledger/page.test.ts',
      'test/ledger/pauses.test.ts',
      'test/ledger/process.test.ts',
      'test/ledger/progress.test.ts',
      'test/ledger/sightings.test.ts',
      'test/ledger/steps.test.ts',
      'test/ledger/table.test.ts',
    ],
  },
  // What is computed when a module is loaded is judged by all tests of a part: these have a small one.
  { name: 'rows', files: ['src/ledger/rows.ts'], judges: ['test/ledger/rows.test.ts'] },
  {
    name: 'migrations',
    files: ['src/journal/migrations.ts'],
    judges: [
      'test/journal/before-rooms.test.ts',
      'test/journal/each-version.test.ts',
      'test/journal/migrations.test.ts',
      'test/journal/versions.test.ts',
    ],
  },
  {
    name: 'journal',
    files: [
      'src/journal/in-hand-table.ts',
      'src/journal/journal.ts',
      'src/journal/place.ts',
      'src/journal/row-text.ts',
      'src/journal/sqlite-error.ts',
      'src/journal/state-files.ts',
      'src/journal/state-lock.ts',
      'src/journal/step-rows.ts',
      'src/journal/table.ts',
    ],
    judges: [
      'test/journal/in-hand-table.test.ts',
      'test/journal/journal-failures.test.ts',
      'test/journal/journal-log.test.ts',
      'test/journal/journal.test.ts',
      'test/journal/on-network.test.ts',
      'test/journal/place.test.ts',
      'test/journal/row-text.test.ts',
      'test/journal/sqlite-error.test.ts',
      'test/journal/state-files.test.ts',
      'test/journal/state-lock.test.ts',
      'test/journal/step-rows.test.ts',
      'test/journal/table-failures.test.ts',
      'test/journal/table.test.ts',
      'test/journal/this-machine.test.ts',
    ],
  },
  {
    name: 'state',
    files: ['src/journal/copies.ts', 'src/journal/probe.ts', 'src/journal/state.ts', 'src/ledger/fleet.ts'],
    judges: [
      'test/fleet/member-names.test.ts',
      'test/journal/copies.test.ts',
      'test/journal/on-network.test.ts',
      'test/journal/probe.test.ts',
      'test/journal/state-looks.test.ts',
      'test/journal/state.test.ts',
      'test/ledger/reruns.test.ts',
    ],
  },
  {
    name: 'claim',
    files: [
      'src/worker/claim/claim-by-id.ts',
      'src/worker/claim/claims-under-way.ts',
      'src/worker/claim/observe.ts',
      'src/worker/claim/renewal-round.ts',
      'src/worker/claim/renewal.ts',
      'src/worker/claim/siblings.ts',
    ],
    judges: [
      'test/worker/claim/claim-by-id.test.ts',
      'test/worker/claim/claims-under-way.test.ts',
      'test/worker/claim/observe.test.ts',
      'test/worker/claim/renewal.test.ts',
      'test/worker/claim/siblings-trial.test.ts',
    ],
  },
  {
    name: 'delivery',
    files: [
      'src/worker/delivery/backoff.ts',
      'src/worker/delivery/deliveries.ts',
      'src/worker/delivery/told.ts',
      'src/worker/delivery/unsent-results.ts',
    ],
    judges: [
      'test/worker/delivery/backoff.test.ts',
      'test/worker/delivery/deliveries.test.ts',
      'test/worker/delivery/told.test.ts',
      'test/worker/delivery/unsent-results.test.ts',
    ],
  },
  {
    name: 'settlement',
    files: [
      'src/worker/delivery/handle.ts',
      'src/worker/settlement/attempts.ts',
      'src/worker/settlement/claim-handle.ts',
      'src/worker/settlement/complete.ts',
      'src/worker/settlement/release.ts',
    ],
    judges: [
      'test/worker/settlement/attempts.test.ts',
      'test/worker/settlement/claim-handle-settles.test.ts',
      'test/worker/settlement/claim-handle.test.ts',
      'test/worker/settlement/complete.test.ts',
      'test/worker/settlement/release.test.ts',
    ],
  },
  ...rooms.map((room) => ({
    name: `heart/${room}`,
    files: globSync(`src/worker/${room}/*.ts`),
    judges: ['test/mutants/seeds.ts', ...globSync(`test/worker/${room}/**/*.test.ts`)],
    isLong: true as const,
  })),
]
