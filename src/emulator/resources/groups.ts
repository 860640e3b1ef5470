import type { Group, Member } from '../../clink/records.ts'
import { seenGroup } from '../access.ts'
import type { Call } from '../call.ts'
import type { StoredGroup } from '../store/tables.ts'
import { stamp } from '../world.ts'

function record({ world, caller }: Call, group: StoredGroup): Group {
  return {
    group_id: group.group_id,
    name: group.name,
    slug: group.slug,
    description: group.description,
    owner_id: group.owner_id,
    created_at: stamp(world, group.created),
    role: group.members.find((member) => member.id === caller.owner.id)?.role,
  }
}

export function listGroups(call: Call): { groups: readonly Group[] } {
  return { groups: call.caller.groups.map((group) => record(call, group)) }
}

/** The same path with `?slug=`: the one group of that name, or none. */
export function groupsBySlug(call: Call): { groups: readonly Group[] } {
  const slug = call.input.text('slug')
  return { groups: call.caller.groups.filter((group) => group.slug === slug).map((group) => record(call, group)) }
}

export function getGroup(call: Call): Group {
  return record(call, seenGroup(call, call.input.text('group_id')))
}

export function listMembers(call: Call): { members: readonly Member[] } {
  const { owners } = call.world.tables
  const group = seenGroup(call, call.input.text('group_id'))
  return {
    members: group.members.map((member) => ({
      user_id: member.id,
      name: owners.get(member.id)?.name ?? member.id,
      email: owners.get(member.id)?.email,
      role: member.role,
      member_type: owners.get(member.id)?.type ?? 'user',
      joined_at: stamp(call.world, member.joined),
    })),
  }
}
