import type { WorkerEvent } from '../events.ts'

export type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'

/**
 * How much each fact matters. `info` tells the story of a clink in two lines; `warn` is what an operator may have to look into;
 * `error` is work that failed. What happens all the time whether there is work or not is `trace`.
 */
export const levels: Readonly<Record<WorkerEvent['event'], Level>> = {
  'worker.started': 'info',
  'worker.ready': 'info',
  'worker.notReady': 'error',
  'worker.identity': 'info',
  'worker.identityReplaced': 'warn',
  'worker.identityGivenUp': 'warn',
  'key.changed': 'info',
  'key.unchanged': 'debug',
  'key.refused': 'error',
  'key.unusable': 'warn',
  'worker.renewalUnsupported': 'warn',
  'worker.claimLengthUntold': 'warn',
  'worker.claimsUnusable': 'error',
  'worker.siblings': 'info',
  'worker.stoodStill': 'warn',
  'worker.clockDiffers': 'warn',
  'worker.stopping': 'info',
  'worker.aborting': 'warn',
  'operator.acted': 'warn',
  'worker.stillPaused': 'warn',
  'worker.pauseOver': 'info',
  'fleet.paused': 'warn',
  'fleet.resumed': 'info',
  'worker.drained': 'info',
  'worker.stopped': 'info',
  'worker.failed': 'fatal',
  'worker.crashed': 'warn',
  'worker.resumed': 'info',
  'program.left': 'warn',
  'program.stays': 'error',
  'journal.failed': 'error',
  'journal.recovered': 'info',
  'store.failed': 'error',
  'store.recovered': 'info',
  'state.lost': 'error',
  'inbox.starved': 'warn',
  'inbox.reached': 'info',
  'inbox.unknownGroup': 'error',
  'renewals.recovered': 'info',
  'settlements.recovered': 'info',
  'poll.succeeded': 'trace',
  'poll.probed': 'trace',
  'poll.failed': 'warn',
  'poll.lost': 'warn',
  // `worker.notReady` comes with it and says the same.
  'poll.refused': 'debug',
  'clink.leftAlone': 'debug',
  'clink.claimed': 'info',
  'clink.takenUp': 'info',
  'clink.claimFailed': 'warn',
  'clink.parked': 'info',
  'clink.started': 'debug',
  'clink.ended': 'info',
  'clink.held': 'info',
  'clink.renewed': 'debug',
  'clink.renewalFailed': 'warn',
  'clink.renewalRefused': 'warn',
  'clink.lost': 'warn',
  'clink.stuck': 'warn',
  'clink.unstuck': 'info',
  'clink.completed': 'info',
  'clink.circleEnded': 'warn',
  'clink.released': 'info',
  'clink.settledElsewhere': 'warn',
  'clink.settlementFailed': 'warn',
  'clink.replayed': 'info',
  'clink.responseShortened': 'warn',
  'clink.leftToExpire': 'warn',
  'clink.lateResult': 'warn',
  'clink.rerun': 'info',
  'clink.rerunDone': 'info',
  'clink.resultUnsent': 'warn',
  'clink.resultUnknown': 'error',
  'clink.deadLettered': 'error',
  'server.listening': 'info',
  'server.unavailable': 'warn',
  'logs.failed': 'error',
  'logs.recovered': 'info',
  'clink.step': 'debug',
  'clink.log': 'info',
  'sender.muted': 'warn',
  'config.nameNotMatched': 'warn',
  'config.reloaded': 'info',
  'config.failed': 'error',
  'route.paused': 'error',
  'route.limitsHoldStarts': 'warn',
  'route.resumed': 'info',
  'handlers.loaded': 'info',
  'handlers.failed': 'error',
}

export function levelOf(event: WorkerEvent): Level {
  if (event.event === 'clink.log') return event.level
  if (event.event === 'worker.stopped' && event.leftBehind.length > 0) return 'error'
  if (event.event === 'clink.parked' && event.again) return 'debug'
  // An outage is said when it begins and when it is over.
  if (event.event === 'clink.renewalFailed' && event.failures > 1) return 'debug'
  if (event.event === 'clink.settlementFailed' && event.failures > 1) return 'debug'
  if (event.event === 'clink.leftAlone' && event.why === 'malformed') return 'warn'
  // It waits for ever unless somebody adds a route.
  if (event.event === 'clink.leftAlone' && event.why === 'no-route') return 'info'
  if (event.event === 'clink.ended') {
    // `clink.completed` follows and tells the same.
    if (event.outcome === 'done') return 'debug'
    if (event.outcome === 'failed' || event.outcome === 'reject') return 'error'
  }
  return levels[event.event]
}
