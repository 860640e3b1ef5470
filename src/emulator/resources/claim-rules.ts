import type { Call, Caller } from '../call.ts'
import { Refusal } from '../refusal.ts'
import type { Claim, HistoryEntry, StoredClink } from '../store/clink-store.ts'
import { seenGroup } from '../access.ts'
import type { World } from '../world.ts'

/** The clink that a request names, if the caller sees its group. */
export function seenClink(call: Call): StoredClink {
  const id = call.input.text('clink_id')
  const clink = call.world.clinks.get(id)
  if (clink === undefined) throw new Refusal(404, `No clink ${JSON.stringify(id)}`)
  seenGroup(call, clink.group_id)
  return clink
}

/** Whether a claim counts as the caller's own, by the switch `identity`. */
export function isHolder(world: World, claim: Omit<Claim, 'expires'> | undefined, caller: Caller): boolean {
  if (claim === undefined || claim.by !== caller.owner.id) return false
  const { identity } = world.switchboard.rules
  if (identity === 'owner') return true
  return claim.key === caller.key.name && (identity === 'key' || claim.session === caller.session)
}

/** Milliseconds that a claim lasts, by the switches `defaultTimeout` and `maxTimeout`. */
export function claimLength(world: World, asked: number | undefined): number {
  const { defaultTimeout, maxTimeout } = world.switchboard.rules
  if (asked !== undefined && asked < 1) throw new Refusal(400, `"timeout_seconds" must be at least 1, not ${asked}`)
  if (asked !== undefined && asked > maxTimeout.limit && maxTimeout.kind === 'reject') {
    throw new Refusal(400, `"timeout_seconds" must be at most ${maxTimeout.limit}, not ${asked}`)
  }
  return Math.min(asked ?? defaultTimeout, maxTimeout.limit) * 1_000
}

/** Who acts, for the history. */
export function actor(caller: Caller): Pick<HistoryEntry, 'by' | 'key' | 'session'> {
  return { by: caller.owner.id, key: caller.key.name, session: caller.session }
}

/** A claim on a pending clink for the caller. */
export function grant(call: Call, clink: StoredClink, length: number): StoredClink {
  const { world, caller, now } = call
  const claim = { by: caller.owner.id, key: caller.key.name, session: caller.session, at: now, expires: now + length }
  return world.clinks.change(
    clink,
    { status: 'claimed', claim, lapsed: undefined },
    { at: now, what: 'claimed', ...actor(caller), expires: claim.expires },
  )
}
