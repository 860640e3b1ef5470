import type { Clink } from '../../clink/records.ts'
import { Refusal } from '../refusal.ts'
import type { StoredClink } from '../store/clink-store.ts'
import { stamp, type World } from '../world.ts'

/** The largest text of a clink, in the unit of the switch `lengthUnit`. */
const MAX_CONTENT = 4_096

/** A clink as it goes over the wire. */
export function clinkRecord(world: World, clink: StoredClink): Clink {
  const group = world.tables.groups.get(clink.group_id)
  const { claim, completed } = clink
  return {
    clink_id: clink.clink_id,
    group_id: clink.group_id,
    group_name: group?.name,
    group_slug: world.switchboard.rules.groupSlugs === 'absent' ? undefined : group?.slug,
    sender_id: clink.sender_id,
    sender_name: clink.sender_name,
    content: clink.content,
    created_at: stamp(world, clink.created),
    status: clink.status,
    claimed_by: claim?.by,
    claimed_at: claim === undefined ? undefined : claimTime(world, claim.at),
    claim_expires_at: clink.status === 'claimed' && claim !== undefined ? claimTime(world, claim.expires) : undefined,
    completed_by: completed?.by,
    completed_at: completed === undefined ? undefined : stamp(world, completed.at),
    for: clink.for,
  }
}

function claimTime(world: World, ms: number): string | undefined {
  const { claimTimes } = world.switchboard.rules
  if (claimTimes === 'absent') return undefined
  const text = stamp(world, ms)
  return claimTimes === 'seconds' ? text.replace(/\.\d+Z$/, 'Z') : text
}

/** 400 for a text that is too long. */
export function checkLength(world: World, name: string, text: string): void {
  const { lengthUnit } = world.switchboard.rules
  const length = { codepoints: Array.from(text).length, utf16: text.length, bytes: Buffer.byteLength(text) }[lengthUnit]
  if (length > MAX_CONTENT) {
    throw new Refusal(400, `"${name}" is too long: ${length} ${lengthUnit}, at most ${MAX_CONTENT}`, {
      code: 'too_long',
    })
  }
}

/** The time from which on clinks are wanted, by the switch `since`; without a zone it is UTC. 400 for what is no time. */
export function sinceBound(world: World, text: string | undefined): number {
  if (text === undefined) return -Infinity
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(/T[\d:.,]+$/.test(text) ? `${text}Z` : text) : NaN
  if (Number.isNaN(time)) throw new Refusal(400, `"since" must be an ISO 8601 time, not ${JSON.stringify(text)}`)
  const ours = time - world.switchboard.rules.clockSkew
  return world.switchboard.rules.since === 'inclusive' ? ours : Math.floor(ours) + 1
}

/** How many are wanted at most, by the switch `maxLimit`. */
export function pageLimit(world: World, asked: number | undefined, otherwise: number): number {
  const { kind, limit } = world.switchboard.rules.maxLimit
  const wanted = asked ?? otherwise
  if (wanted < 1) throw new Refusal(400, `"limit" must be at least 1, not ${wanted}`)
  if (wanted > limit && kind === 'reject') throw new Refusal(400, `"limit" must be at most ${limit}, not ${wanted}`)
  return Math.min(wanted, limit)
}
