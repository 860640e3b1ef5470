import type { Clink } from '../../clink/records.ts'
import { isMember, seenGroup } from '../access.ts'
import type { Call } from '../call.ts'
import { Refusal } from '../refusal.ts'
import type { ClinkStatus, StoredClink } from '../store/clink-store.ts'
import type { Owner, StoredGroup } from '../store/tables.ts'
import type { World } from '../world.ts'
import { checkLength, clinkRecord, pageLimit, sinceBound } from './clink-record.ts'

const statuses: readonly ClinkStatus[] = ['pending', 'claimed', 'completed']

export function statusOf(text: string | undefined): ClinkStatus | undefined {
  return statuses.find((known) => known === text)
}

export interface Draft {
  readonly group: StoredGroup
  readonly from: Owner
  readonly content: string
  readonly for?: string | undefined
  readonly answers?: string | undefined
  /** Milliseconds between its creation and now. */
  readonly age?: number | undefined
  /** The request that did it, for the history; undefined: no request did. */
  readonly by?: { readonly key: string; readonly session: string }
}

/** Puts a clink into its group, pending. Everything about it has been checked. */
export function createClink(world: World, now: number, draft: Draft): StoredClink {
  const { age = 0, group, from, content, answers, by } = draft
  return world.clinks.add(
    {
      clink_id: world.ids.next('msg'),
      created: Math.floor(now - age),
      group_id: group.group_id,
      sender_id: from.id,
      sender_name: from.name,
      content,
      status: 'pending',
      for: draft.for,
      answers,
    },
    { at: now, what: 'created', by: from.id, ...by },
  )
}

/** A member's text for the group or one of its members: 400 for what cannot be sent. */
export function send(world: World, now: number, draft: Draft): StoredClink {
  checkLength(world, 'content', draft.content)
  if (draft.content === '') throw new Refusal(400, '"content" must not be empty')
  if (draft.for !== undefined && !isMember(draft.group, draft.for)) {
    throw new Refusal(400, `"for" must be a member of the group, not ${JSON.stringify(draft.for)}`)
  }
  return createClink(world, now, draft)
}

export function sendClink(call: Call): Clink {
  const { world, caller, input, now } = call
  const group = seenGroup(call, input.text('group_id'))
  const by = { key: caller.key.name, session: caller.session }
  const draft: Draft = { group, from: caller.owner, content: input.text('content'), for: input.maybeText('for'), by }
  return clinkRecord(world, send(world, now, draft))
}

/** Claimed clinks may be kept from their own claimant's listings (switch `claimedVisible`). */
export function isListed(call: Call, clink: StoredClink, status: ClinkStatus | undefined): boolean {
  const hidden = status === 'claimed' && call.world.switchboard.rules.claimedVisible === 'no'
  return !hidden || clink.claim?.by !== call.caller.owner.id
}

export function getClinks(call: Call): { clinks: readonly Clink[] } {
  const { world, caller, input } = call
  const groupId = input.maybeText('group_id')
  const groups = groupId === undefined ? caller.groups : [seenGroup(call, groupId)]
  const status = statusOf(input.maybeText('status'))
  const limit = pageLimit(world, input.integer('limit'), 50)
  const found = world.clinks.select({
    groups: groups.map((group) => group.group_id),
    statuses: status === undefined ? statuses : [status],
    ...(input.flag('for_me') === true ? { recipients: [caller.owner.id] } : {}),
    from: sinceBound(world, input.maybeText('since')),
    order: world.switchboard.rules.inboxOrder,
    random: world.random,
  })
  const page: StoredClink[] = []
  for (const clink of found) {
    if (input.flag('unread_only') === true && isRead(call, clink)) continue
    if (isListed(call, clink, status)) page.push(clink)
    if (page.length === limit) break
  }
  if (input.flag('mark_read') === true) {
    for (const clink of page) world.tables.readMark(caller.owner.id, clink.group_id).single.add(clink.clink_id)
  }
  return { clinks: page.map((clink) => clinkRecord(world, clink)) }
}

/** What one wrote oneself needs no reading. */
function isRead({ world, caller }: Call, clink: StoredClink): boolean {
  const mark = world.tables.readMark(caller.owner.id, clink.group_id)
  return clink.sender_id === caller.owner.id || clink.seq <= mark.upTo || mark.single.has(clink.clink_id)
}

export function markRead(call: Call): { marked: number } {
  const groups = (call.input.texts('group_ids') ?? []).map((id) => seenGroup(call, id))
  for (const group of groups) {
    const mark = call.world.tables.readMark(call.caller.owner.id, group.group_id)
    mark.upTo = call.world.clinks.lastSeq
    mark.single.clear()
  }
  return { marked: groups.length }
}
