import type { Clink } from '../../clink/records.ts'
import type { Call } from '../call.ts'
import { byPlace } from '../store/shelf.ts'
import type { Selection, StoredClink } from '../store/clink-store.ts'
import { claimLength, grant, isHolder } from './claim-rules.ts'
import { clinkRecord, pageLimit, sinceBound } from './clink-record.ts'
import { isListed, statusOf } from './clinks.ts'

/** Milliseconds within which two callers' claims count as made in the same moment (`pollRecords: includesLost`). */
const SAME_MOMENT = 100

interface Page {
  clinks: readonly Clink[]
  count: number
  claimed_count?: number
}

export function checkInbox(call: Call): Page {
  const { world, caller, input } = call
  const status = statusOf(input.maybeText('status')) ?? 'pending'
  const limit = pageLimit(world, input.integer('limit'), 10)
  const selection: Selection = {
    groups: caller.groups.map((group) => group.group_id),
    statuses: [status],
    ...(input.flag('for_me') === false ? {} : { recipients: [caller.owner.id, undefined] }),
    from: sinceBound(world, input.maybeText('since')),
    order: world.switchboard.rules.inboxOrder,
    random: world.random,
  }
  const page: StoredClink[] = []
  for (const clink of world.clinks.select(selection)) {
    if (isShown(call, clink) && isListed(call, clink, status)) page.push(clink)
    if (page.length === limit) break
  }
  if (input.flag('claim') !== true) return answer(page.map((clink) => clinkRecord(world, clink)))
  if (status !== 'pending') return { ...answer(page.map((clink) => clinkRecord(world, clink))), claimed_count: 0 }
  return claimPage(call, selection, page, limit)
}

function answer(clinks: readonly Clink[]): Page {
  return { clinks, count: clinks.length }
}

/** Own clinks, as far as one can see them in one's inbox at all, by the switch `ownClinks`. */
function isShown({ world, caller }: Call, clink: StoredClink): boolean {
  return world.switchboard.rules.ownClinks === 'shown' || clink.sender_id !== caller.owner.id
}

/** Claims what a poll found, and shows it as the switch `pollRecords` says. */
function claimPage(call: Call, selection: Selection, found: readonly StoredClink[], limit: number): Page {
  const { world } = call
  const { pollRecords } = world.switchboard.rules
  const lost = pollRecords === 'includesLost' ? justLost(call, selection) : []
  const page = lost.length === 0 ? found : [...found, ...lost].sort(orderOf(selection)).slice(0, limit)
  const length = claimLength(world, undefined)
  let claimed = 0
  const clinks = page.map((clink) => {
    if (clink.status !== 'pending') return clinkRecord(world, clink)
    claimed += 1
    const taken = grant(call, clink, length)
    return clinkRecord(world, pollRecords === 'snapshot' ? clink : taken)
  })
  return { ...answer(clinks), claimed_count: claimed }
}

function orderOf({ order }: Selection): (a: StoredClink, b: StoredClink) => number {
  return order === 'newest' ? (a, b) => byPlace(b, a) : byPlace
}

/** Clinks that this poll would have got, had another caller not just been faster. */
function justLost(call: Call, selection: Selection): readonly StoredClink[] {
  const { world, caller, now } = call
  return world.clinks.claimedSince(now - SAME_MOMENT).filter((clink) => {
    const wanted = selection.recipients?.includes(clink.for) ?? true
    const seen = selection.groups.includes(clink.group_id) && clink.created >= selection.from
    return wanted && seen && isShown(call, clink) && !isHolder(world, clink.claim, caller)
  })
}
