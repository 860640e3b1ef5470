import type { Status } from '../../src/control/status.ts'
import { statusOf, type StatusFacts } from '../../src/control/status-of.ts'
import { open } from './states.ts'
import { TempDir } from './temp-dir.ts'

const counts = { running: 0, queued: 0, held: 0, settling: 0, parked: 0, rerunning: 0, stuck: 0 }

const facts: StatusFacts = {
  worker: { version: '1', pid: 1, session: 's', url: 'http://127.0.0.1', startedAt: 0, uptime: 1, isOnce: false },
  server: null,
  slots: { total: 300, taken: 0 },
  counts: { ...counts, maybeClaimed: 0, unrouted: 0, circlesEnded: 0 },
  isStopping: false,
  isDrained: false,
  readiness: { ready: true, reasons: [] },
  liveness: { alive: true, reasons: [] },
  routes: [],
  deliveries: [],
  pauses: [],
  reload: null,
  draining: null,
  parked: [],
  inbox: null,
  notWorked: [],
  leftAlone: new Map(),
  search: null,
  hasLog: () => true,
  claims: 'select',
  key: { fingerprint: 'f', isProven: true, refusal: null, unused: null },
  identity: null,
  siblings: 'refused',
  leases: { areTold: null, areRenewed: null },
  totals: { completed: 0, released: 0, deadLettered: 0, lost: 0 },
}

/** The status of a worker that is idle, but for what is given. */
export function told(more: Partial<StatusFacts>): Status {
  using directory = new TempDir()
  const state = open(directory.path)
  try {
    return statusOf({ ...facts, ...more }, state)
  } finally {
    state.close()
  }
}
