import type { Call, Caller } from './call.ts'
import { Refusal } from './refusal.ts'
import type { StoredGroup } from './store/tables.ts'
import type { World } from './world.ts'

const BEARER = /^Bearer +(\S+)$/i

/** 401 for a key that is missing, unknown, or suspended. */
export function authenticate(world: World, headers: Readonly<Record<string, string | undefined>>): Caller {
  const text = BEARER.exec(headers['authorization'] ?? '')?.[1]
  if (text === undefined) throw new Refusal(401, 'Send an API key as "Authorization: Bearer sk_live_…"')
  const key = world.tables.keys.get(text)
  const owner = key === undefined ? undefined : world.tables.owners.get(key.owner_id)
  if (key === undefined || owner === undefined) throw new Refusal(401, 'The API key is not valid')
  if (key.suspended) throw new Refusal(401, 'The API key is suspended', { code: 'key_suspended' })
  const groups = [...world.tables.groups.values()].filter(
    (group) => isMember(group, owner.id) && (key.group_id === undefined || key.group_id === group.group_id),
  )
  return { key, owner, session: headers['x-clink-session-id'] ?? '', groups }
}

export function isMember(group: StoredGroup, id: string): boolean {
  return group.members.some((member) => member.id === id)
}

/** The group if the caller sees it: 404 where there is none, 403 where it is not the caller's. */
export function seenGroup(call: Pick<Call, 'world' | 'caller'>, groupId: string): StoredGroup {
  const group = call.world.tables.groups.get(groupId)
  if (group === undefined) throw new Refusal(404, `No group ${JSON.stringify(groupId)}`)
  if (!call.caller.groups.some((seen) => seen.group_id === groupId)) {
    const scoped = call.caller.key.group_id !== undefined && call.caller.key.group_id !== groupId
    throw new Refusal(403, scoped ? 'The key is limited to another group' : 'You are not a member of this group')
  }
  return group
}
