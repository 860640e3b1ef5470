import type { HILRequired, PendingVerification } from '../../clink/records.ts'
import { seenGroup } from '../access.ts'
import type { Call } from '../call.ts'
import { within } from '../intake/input.ts'
import type { StoredVerification } from '../store/tables.ts'
import { stamp, type World } from '../world.ts'
import { homeOf } from './checkpoint-graph.ts'

type Target = StoredVerification['target']

function sameTarget(a: Target, b: Target): boolean {
  if (a.type === 'checkpoint') return b.type === 'checkpoint' && a.checkpoint_id === b.checkpoint_id
  return b.type === 'vote' && a.proposal_id === b.proposal_id
}

/**
 * Where the group wants a human's word for this, the answer that says so: `new` the first time, `pending` with the same id
 * until it is approved or runs out. `undefined` where no human is needed.
 */
export function askHuman(call: Call, groupId: string, target: Target): HILRequired | undefined {
  const { world, caller, input, now } = call
  const { hil } = seenGroup(call, groupId)
  const seconds = within(input, 'hil_expiry_seconds', { min: 60, max: 172_800, otherwise: 300 })
  if (!(target.type === 'checkpoint' ? hil.checkpoints : hil.votes)) return undefined
  const last = [...world.tables.verifications.values()].findLast(
    (stored) => stored.requested_by === caller.owner.id && sameTarget(stored.target, target),
  )
  if (last !== undefined && last.verified === undefined && last.expires > now) {
    return answer(world, last, {
      message: 'A human was asked already and has not answered yet',
      verification_status: 'pending',
      expires_in_seconds: Math.ceil((last.expires - now) / 1_000),
    })
  }
  const verification: StoredVerification = {
    verification_id: world.ids.next('ver'),
    group_id: groupId,
    requested_by: caller.owner.id,
    requested: now,
    expires: now + seconds * 1_000,
    target,
  }
  world.tables.verifications.set(verification.verification_id, verification)
  const approver = world.tables.owners.get(hil.approver)
  return answer(world, verification, {
    message: 'A human must approve this first and was written to',
    verification_status: 'new',
    expires_in_seconds: seconds,
    // The reference client reads a list of addresses.
    sent_to: [approver?.email ?? approver?.name ?? hil.approver],
    previous_verification_expired: last !== undefined && last.verified === undefined ? true : undefined,
  })
}

type Words = Omit<HILRequired, 'verification_required' | 'verification_id' | 'expires_at'>

function answer(world: World, { verification_id, expires }: StoredVerification, words: Words): HILRequired {
  return { verification_required: true, verification_id, expires_at: stamp(world, expires), ...words }
}

export function listPendingVerifications(call: Call): { verifications: readonly PendingVerification[] } {
  const { world, input, now } = call
  const { group_id } = seenGroup(call, input.text('group_id'))
  const limit = within(input, 'limit', { min: 1, otherwise: 50 })
  const waiting = [...world.tables.verifications.values()].filter(
    (stored) => stored.group_id === group_id && stored.verified === undefined && stored.expires > now,
  )
  return {
    verifications: waiting
      .toReversed()
      .slice(0, limit)
      .map((verification) => record(world, verification)),
  }
}

function record(world: World, verification: StoredVerification): PendingVerification {
  const { target } = verification
  const common = {
    verification_id: verification.verification_id,
    target_type: target.type,
    status: 'pending',
    expires_at: stamp(world, verification.expires),
    requested_by: verification.requested_by,
    requester_name: world.tables.owners.get(verification.requested_by)?.name,
    requested_at: stamp(world, verification.requested),
    group_id: verification.group_id,
    group_name: world.tables.groups.get(verification.group_id)?.name,
  } as const
  if (target.type === 'checkpoint') {
    const home = homeOf(world, target.checkpoint_id)
    return {
      ...common,
      milestone_id: home?.milestone.milestone_id,
      milestone_title: home?.milestone.title,
      checkpoint_order: home?.order,
      checkpoint_title: home?.checkpoint.title,
    }
  }
  const proposal = world.tables.proposals.get(target.proposal_id)
  return {
    ...common,
    proposal_id: target.proposal_id,
    proposal_title: proposal?.title,
    voting_type: proposal?.voting_type,
    proposal_options: proposal?.options,
  }
}
