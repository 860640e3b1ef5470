import type { StoredClink } from '../../../src/emulator/store/clink-store.ts'
import { isChosen } from '../distortion.ts'
import { hasAge } from '../explained.ts'
import type { Rule } from '../judge.ts'
import { ownerOf } from '../plan-keys.ts'
import { workerOf, type Plan, type WorkerPlan } from '../plan.ts'
import type { Record } from '../record.ts'
import { isInScope, isTooOld } from '../scope.ts'

/** What the configuration does not want is not claimed by id, and never run. */
export const onlyWhatIsWanted: Rule = ({ plan, record, emulator }) => {
  const offset = record.now - emulator.now()
  const claimed = [...record.grantsByClink.values()].flat().flatMap(({ life, clinkId, at, via, isNew, request }) => {
    const clink = emulator.clink(clinkId)
    if (via !== 'claim' || !isNew || clink === undefined) return []
    // What was claimed while it was wanted may be claimed anew by its renewal.
    const isRenewal = record.grantsOf(life, clinkId).some((earlier) => earlier.at < at)
    const age = request.begunAt - (clink.created + offset) + clockError(plan, record, life, request.begunAt)
    // A wall clock counts whole milliseconds.
    if (isRenewal || !hasAge(plan, clinkId) || !isTooOld(workerOf(plan, life), Math.floor(age))) return []
    return [{ rule: 'P6', at, life, text: `${clinkId} is claimed though it is too old` }]
  })
  const run = record.runs.flatMap(({ life, clinkId, isRerun, startedAt: at }) => {
    const clink = emulator.clink(clinkId)
    const worker = workerOf(plan, life)
    if (clink === undefined || isInScope(worker, clink)) return []
    // Somebody has asked this member of a fleet to run what another one had given up.
    if (isRerun === true && plan.world.fleet !== undefined) return []
    // Who does not know yet who it is does not know its own clinks.
    const isLearning = worker.config.inbox.ignore.includes('self') && worker.config.clink.identity === 'auto'
    if (isLearning && clink.sender_id === worker.owner) return []
    if (isInScope(worker, asShown(plan, clink)) || isInScope(asClaimed(plan, record, life, clink, at), clink)) return []
    return [{ rule: 'P6', at, life, text: `${clinkId} runs though it is not wanted` }]
  })
  return [...claimed, ...run]
}

/**
 * Milliseconds by which a worker's wall clock is ahead of the service's: it began so, and has been set since its first process began. A clink is as old
 * as that clock says.
 */
function clockError(plan: Plan, record: Record, life: string, at: number): number {
  const { name: worker, wallSkew } = workerOf(plan, life)
  const lives = [...record.lives.values()].filter((other) => other.worker === worker)
  const set = lives.flatMap(({ jumps, setBacks }) => [...jumps, ...setBacks]).filter((one) => one.at <= at)
  return set.reduce((sum, { ms }) => sum + ms, wallSkew)
}

/** §0, §8: a key that no answer says anything of is as good as any, and the service shows what is for its owner. */
function asClaimed(plan: Plan, record: Record, life: string, { clink_id: id }: StoredClink, at: number): WorkerPlan {
  const { field } = plan.world
  const worker = workerOf(plan, life)
  const isUntold = field?.name === 'claimed_by' && isChosen(id, field.every)
  const claim = isUntold ? record.grantsOf(life, id).findLast((grant) => grant.at <= at) : undefined
  return { ...worker, owner: ownerOf(plan, claim?.request.key) ?? worker.owner }
}

/** §0: a record is worked with what it has: by a name or an id that it does not say nobody is ignored. */
function asShown({ world: { field } }: Plan, clink: StoredClink): StoredClink {
  if (field === undefined || !isChosen(clink.clink_id, field.every)) return clink
  if (field.name === 'sender_name') return { ...clink, sender_name: clink.sender_id }
  return field.name === 'sender_id' ? { ...clink, sender_id: 'unsaid' } : clink
}
