import { Refusal } from '../refusal.ts'
import type { StoredVerification } from '../store/tables.ts'
import type { World } from '../world.ts'
import { markCompleted } from './checkpoints.ts'
import { addVote } from './proposals.ts'

function waiting(world: World, id: string, now: number): StoredVerification {
  const verification = world.tables.verifications.get(id)
  if (verification === undefined) throw new Refusal(404, `No verification ${JSON.stringify(id)}`)
  if (verification.verified !== undefined) throw new Refusal(409, 'It is approved already')
  if (verification.expires <= now) throw new Refusal(409, 'It has run out')
  return verification
}

/** A human says yes: what was asked for is done in the name of who asked. */
export function approve(world: World, id: string, now: number): void {
  const verification = waiting(world, id, now)
  const { target, requested_by } = verification
  if (target.type === 'checkpoint') markCompleted(world, target.checkpoint_id, { at: now, by: requested_by })
  else {
    const { proposal_id, vote, comment } = target
    addVote(world, proposal_id, { voter_id: requested_by, vote, comment, at: now })
  }
  world.tables.verifications.set(id, { ...verification, verified: now })
}

/** The human did not answer in time. */
export function expire(world: World, id: string, now: number): void {
  world.tables.verifications.set(id, { ...waiting(world, id, now), expires: now })
}
