import type { Breach, Rule } from '../judge.ts'
import { aheadOf, configsUntil } from '../settings.ts'
import { workerOf } from '../plan.ts'
import { claimOf } from './fleet-starts.ts'

/** Milliseconds: wall clocks are read in whole ones. */
const ROUNDING = 1

/** Fleet, P10: a dead letter of one member is run by none, unless somebody has it run again. */
export const lettersAreOfTheFleet: Rule = ({ plan, record }) => {
  if (plan.world.fleet === undefined) return []
  return record.runs.flatMap((run): readonly Breach[] => {
    const { clinkId, isRerun, life, startedAt: at } = run
    const claimedAt = claimOf(record, run)
    if (isRerun === true || claimedAt === undefined) return []
    const facts = record.fleet.factsOf(clinkId, claimedAt, at)
    if (facts.length === 0 || facts.some(({ isGivenUp }) => !isGivenUp)) return []
    return [{ rule: 'fleet', at, life, text: `${clinkId} starts though its fleet has given it up` }]
  })
}

/** Fleet: a member that has given a clink up gives it back only when the others know that. */
export const lettersAreToldFirst: Rule = ({ plan, record }) => {
  if (plan.world.fleet === undefined) return []
  return record.requests.flatMap(({ begunAt: at, clinkId, kind, life }): readonly Breach[] => {
    if (kind !== 'release' || clinkId === undefined) return []
    const told = record.told(life, clinkId).filter((one) => one.life === life && one.at <= at)
    const claimed = told.findLast(({ event }) => event.event === 'clink.claimed')?.at ?? Infinity
    const letter = told.findLast(({ event }) => event.event === 'clink.deadLettered')
    if (letter === undefined || letter.at < claimed) return []
    if (record.fleet.factsOf(clinkId, claimed, at).some(({ isGivenUp }) => isGivenUp)) return []
    return [{ rule: 'fleet', at, life, text: `${clinkId} is given back as given up, and its fleet does not know` }]
  })
}

/** Fleet, P10: what a handler has given back all members leave alone for as long as one would. */
export const releasedIsLeftByAll: Rule = ({ plan, record }) => {
  if (plan.world.fleet === undefined) return []
  return record.runs.flatMap((run): readonly Breach[] => {
    const { clinkId, isRerun, life, startedAt: at } = run
    const before = record.knownRunsThatCount(life, clinkId, at)
    const last = before.reduce<(typeof before)[number] | undefined>(
      (latest, one) => ((one.endedAt ?? Infinity) > (latest?.endedAt ?? -Infinity) ? one : latest),
      undefined,
    )
    if (isRerun === true || last?.endedAt === undefined || last.end !== 'release') return []
    // What ended in the moment of a crash, or without its claim, was given back by nobody.
    if (last.abortedAt !== undefined || last.isCutShort === true || last.outlivedClaim === true) return []
    const given = record.told(last.life, clinkId).find(({ at: said, event, life: by }) => {
      return by === last.life && said >= (last.endedAt ?? 0) && said <= at && event.event === 'clink.released'
    })
    if (given === undefined) return []
    // Who has held it all the while has taken up nothing: the service has granted both of them a claim, and no answer says that it is gone.
    const claimed = record.told(life, clinkId).findLast(({ at: said, event, life: by }) => {
      return by === life && said <= at && event.event === 'clink.claimed'
    })
    if (claimed !== undefined && claimed.at < last.endedAt) return []
    const cooldown = Math.min(...configsUntil(workerOf(plan, last.life), at).map(({ retry }) => retry.cooldown))
    const wait = at - last.endedAt
    if (wait >= cooldown - aheadOf(plan, record, { life, at }, { life: last.life, since: given.at }) - ROUNDING)
      return []
    return [{ rule: 'fleet', at, life, text: `${clinkId} starts ${wait} ms after ${last.life} has given it back` }]
  })
}
