import type { Emulator } from '../../src/emulator/emulator.ts'
import type { Plan } from './plan.ts'
import type { Record } from './record.ts'
import { choosersDoNotPoll, claimsByIdAreSafe, refusalsAreSaid } from './rules/claims-by-id.ts'
import { nothingIsTakenWhileHeld } from './rules/holds.ts'
import { absencesPauseAtOnce, pausesEndByWork, probesGrowRarer } from './rules/absences.ts'
import { bystandersAreSpared, claimsAreHeldOnTo, killersAreFound } from './rules/restarts.ts'
import { claimsAreExplained, nothingIsForgotten } from './rules/forgotten.ts'
import { loopsGoOn, noBusyLoop, noPartFails, stopsInTime } from './rules/liveness.ts'
import { fleetLimitsAreKept } from './rules/fleet-limits.ts'
import { claimsFollowLimits, limitsAreKept } from './rules/limits.ts'
import { nothingStartsWhileAway } from './rules/fleet-away.ts'
import { lettersAreOfTheFleet, lettersAreToldFirst, releasedIsLeftByAll } from './rules/fleet-letters.ts'
import { pausesOfTheFleetAreKept } from './rules/fleet-pauses.ts'
import { attemptsAreOfTheFleet, resultsAreOfTheFleet, startsAreNoted } from './rules/fleet-starts.ts'
import { nothingAfterTheLease } from './rules/fail-closed.ts'
import { oneRunAtATime } from './rules/one-run.ts'
import { circlesEnd, ownClinksAreNotWork } from './rules/hops.ts'
import { gracesAreKept, killsAreTold, lateOnesBeginInTime } from './rules/killed-runs.ts'
import { ownRunsKeepTheirClaims } from './rules/own-runs.ts'
import { drainTimeIsGiven } from './rules/drain.ts'
import { pagesAreNoVerdict } from './rules/pages.ts'
import { nobodyIsTurnedAway } from './rules/parks.ts'
import { freshOnesProbe } from './rules/probes.ts'
import { restsWhereNothingIsToDo } from './rules/rest.ts'
import { unknownLengthsAreAskedFor } from './rules/unknown-lengths.ts'
import { pollsAreNotRepeated, claimsOnlyWhatCanStart } from './rules/polls.ts'
import { claimsKeepTheirKey, goodKeysAreUsed, strangersClaimOnce, strangersWorkIsLeft } from './rules/keys.ts'
import { runsHaveTheirTime, silenceEndsRuns } from './rules/kept-settings.ts'
import { lettersRest, rerunsLeaveSlots } from './rules/letters.ts'
import { pausesAreDeserved } from './rules/pauses.ts'
import { releasesFollowRenewals, renewalsInSingleFile, renewedWhileInHand } from './rules/renewals.ts'
import { rerunResultsReachTheirSender, resultsAreSentOnce } from './rules/reruns.ts'
import { resultsAreKept } from './rules/results.ts'
import { attemptsAreCounted, failedIsHeld, outlivedIsGivenUp } from './rules/retries.ts'
import { onlyWhatIsWanted } from './rules/scope.ts'
import { handlesSettleOnce } from './rules/settled-once.ts'
import {
  sleepersHoldNoSlot,
  sleepsAreSlept,
  stepsAreDoneOnce,
  stepsEndWithTheirRun,
  stepsGiveTheSame,
  stepsSendOnce,
} from './rules/steps.ts'
import { stopLeavesNothing } from './rules/stopping.ts'
import { asksForWhatCanStart } from './rules/taking.ts'

export interface Breach {
  /** Number of the promise, or `live`. */
  readonly rule: string
  /** Virtual milliseconds. */
  readonly at: number
  readonly life?: string
  readonly text: string
  /** Of what is understood and not repaired yet: what it is. Such a breach is counted and fails nothing. */
  readonly known?: string
}

export interface Evidence {
  readonly plan: Plan
  readonly record: Record
  readonly emulator: Emulator
  readonly unexplained: readonly { readonly clinkId: string; readonly why: string }[]
  readonly ticks: number
}

export type Rule = (evidence: Evidence) => readonly Breach[]

const rules: readonly Rule[] = [
  nothingIsForgotten,
  claimsAreExplained,
  handlesSettleOnce,
  nothingAfterTheLease,
  oneRunAtATime,
  ownRunsKeepTheirClaims,
  runsHaveTheirTime,
  silenceEndsRuns,
  renewalsInSingleFile,
  releasesFollowRenewals,
  renewedWhileInHand,
  resultsAreKept,
  resultsAreSentOnce,
  rerunResultsReachTheirSender,
  lettersRest,
  rerunsLeaveSlots,
  strangersWorkIsLeft,
  strangersClaimOnce,
  claimsKeepTheirKey,
  goodKeysAreUsed,
  claimsByIdAreSafe,
  choosersDoNotPoll,
  refusalsAreSaid,
  claimsAreHeldOnTo,
  bystandersAreSpared,
  killersAreFound,
  claimsOnlyWhatCanStart,
  asksForWhatCanStart,
  limitsAreKept,
  fleetLimitsAreKept,
  claimsFollowLimits,
  stepsAreDoneOnce,
  stepsGiveTheSame,
  stepsEndWithTheirRun,
  stepsSendOnce,
  sleepsAreSlept,
  sleepersHoldNoSlot,
  onlyWhatIsWanted,
  pollsAreNotRepeated,
  stopLeavesNothing,
  failedIsHeld,
  pausesAreDeserved,
  absencesPauseAtOnce,
  killsAreTold,
  gracesAreKept,
  lateOnesBeginInTime,
  probesGrowRarer,
  pausesEndByWork,
  attemptsAreCounted,
  outlivedIsGivenUp,
  ownClinksAreNotWork,
  circlesEnd,
  nobodyIsTurnedAway,
  pagesAreNoVerdict,
  unknownLengthsAreAskedFor,
  nothingIsTakenWhileHeld,
  freshOnesProbe,
  drainTimeIsGiven,
  restsWhereNothingIsToDo,
  noBusyLoop,
  loopsGoOn,
  noPartFails,
  stopsInTime,
  startsAreNoted,
  attemptsAreOfTheFleet,
  resultsAreOfTheFleet,
  lettersAreOfTheFleet,
  lettersAreToldFirst,
  releasedIsLeftByAll,
  nothingStartsWhileAway,
  pausesOfTheFleetAreKept,
]

/** The promises, stated from outside: nothing here knows how a worker keeps them. */
export function judge(evidence: Evidence): readonly Breach[] {
  return rules.flatMap((rule) => rule(evidence)).sort((a, b) => a.at - b.at)
}
