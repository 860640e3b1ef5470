import type { Clink } from '../../clink/records.ts'
import { isMember } from '../access.ts'
import type { Call } from '../call.ts'
import { Refusal } from '../refusal.ts'
import type { StoredClink } from '../store/clink-store.ts'
import { actor, claimLength, grant, isHolder, seenClink } from './claim-rules.ts'
import { checkLength, clinkRecord } from './clink-record.ts'
import { createClink } from './clinks.ts'

export function claimClink(call: Call): Clink {
  const { world, caller, input } = call
  const clink = seenClink(call)
  const length = claimLength(world, input.integer('timeout_seconds'))
  if (clink.status === 'completed') throw new Refusal(409, 'The clink is completed already')
  if (clink.status === 'pending') return clinkRecord(world, grant(call, clink, length))
  if (!isHolder(world, clink.claim, caller)) throw new Refusal(409, 'The clink is claimed by somebody else')
  return clinkRecord(world, renew(call, clink, length))
}

/** Claiming what one holds, by the switch `reclaim`. */
function renew(call: Call, clink: StoredClink, length: number): StoredClink {
  const { world, caller, now } = call
  const { reclaim, claimedAtOnRenew } = world.switchboard.rules
  if (reclaim === 'refuse') throw new Refusal(409, 'You hold this clink already')
  if (reclaim === 'ignore' || clink.claim === undefined) return clink
  const { by, key, session } = { by: caller.owner.id, key: caller.key.name, session: caller.session }
  const at = claimedAtOnRenew === 'moves' ? now : clink.claim.at
  const expires = now + length
  return world.clinks.change(
    clink,
    { claim: { by, key, session, at, expires } },
    { at: now, what: 'renewed', ...actor(caller), expires },
  )
}

/** Whether the caller's own claim ran out and nobody else took the clink: then the switch `lateComplete` decides. */
function isLate(call: Call, clink: StoredClink): boolean {
  if (clink.status !== 'pending' || !isHolder(call.world, clink.lapsed, call.caller)) return false
  const { lateComplete } = call.world.switchboard.rules
  if (lateComplete === 'accept') return true
  throw new Refusal(lateComplete === 'refuse-403' ? 403 : 409, 'Your claim on this clink has run out')
}

export function releaseClink(call: Call): Clink {
  const { world, caller, now } = call
  const clink = seenClink(call)
  if (clink.status === 'completed') throw new Refusal(409, 'The clink is completed already')
  if (clink.status === 'pending') {
    if (!isLate(call, clink)) {
      const { releaseUnclaimed } = world.switchboard.rules
      if (releaseUnclaimed !== '200') throw new Refusal(Number(releaseUnclaimed), 'The clink is not claimed')
    }
    return clinkRecord(world, clink)
  }
  if (!isHolder(world, clink.claim, caller)) throw new Refusal(403, 'The clink is claimed by somebody else')
  const entry = { at: now, what: 'released', ...actor(caller) } as const
  return clinkRecord(world, world.clinks.change(clink, { status: 'pending', claim: undefined }, entry))
}

export function completeClink(call: Call): { clink: Clink; response_clink_id?: string | undefined } {
  const { world, caller, input, now } = call
  const clink = seenClink(call)
  if (clink.status === 'completed') return completedAgain(call, clink)
  if (clink.status === 'pending' && !isLate(call, clink)) throw new Refusal(409, 'The clink is not claimed')
  if (clink.status === 'claimed' && !isHolder(world, clink.claim, caller)) {
    throw new Refusal(403, 'The clink is claimed by somebody else')
  }
  const response = respond(call, clink, input.maybeText('response'))
  const completed = { by: caller.owner.id, key: caller.key.name, session: caller.session, at: now, response }
  const entry = { at: now, what: 'completed', ...actor(caller), response } as const
  const claim = clink.claim ?? clink.lapsed
  const done = world.clinks.change(clink, { status: 'completed', claim, lapsed: undefined, completed }, entry)
  return completion(call, done)
}

function completedAgain(call: Call, clink: StoredClink): ReturnType<typeof completeClink> {
  const mine = isHolder(call.world, clink.completed, call.caller)
  if (mine && call.world.switchboard.rules.completeTwice === '200') return completion(call, clink)
  throw new Refusal(409, 'The clink is completed already')
}

function completion({ world }: Call, clink: StoredClink): ReturnType<typeof completeClink> {
  const told = world.switchboard.rules.responseId === 'present'
  return { clink: clinkRecord(world, clink), response_clink_id: told ? clink.completed?.response : undefined }
}

/** Sends a response to the sender as a new clink and gives its id; an empty one is none. */
function respond(call: Call, clink: StoredClink, given: string | undefined): string | undefined {
  const { world, caller, now } = call
  const { responseText, recipientGone } = world.switchboard.rules
  const content = responseText === 'trimmed' ? given?.trim() : given
  const group = world.tables.groups.get(clink.group_id)
  if (content === undefined || content === '' || group === undefined) return undefined
  checkLength(world, 'response', content)
  if (recipientGone === '400' && !isMember(group, clink.sender_id)) {
    throw new Refusal(400, 'The sender is not a member of the group any more', { code: 'recipient_gone' })
  }
  const by = { key: caller.key.name, session: caller.session }
  const draft = { group, from: caller.owner, content, for: clink.sender_id, answers: clink.clink_id, by }
  return createClink(world, now, draft).clink_id
}
