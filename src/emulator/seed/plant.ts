import { usualPermissions } from '../permissions.ts'
import { createClink } from '../resources/clinks.ts'
import { createProject } from '../resources/project-store.ts'
import type { Owner, StoredGroup } from '../store/tables.ts'
import type { World } from '../world.ts'
import type { Seed } from './seed.ts'

const byteText = (n: number): string => n.toString(16).padStart(2, '0')

function randomUuid(random: () => number): string {
  const bytes = Array.from({ length: 16 }, () => Math.floor(random() * 256))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.map((byte) => byteText(byte)).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** The item of that name; the seed's schema has seen to it that there is one. */
function named<T>(items: ReadonlyMap<string, T>, name: string): T {
  const item = items.get(name)
  if (item === undefined) throw new Error(`The seed was planted unchecked: there is no ${name}`)
  return item
}

/** Puts a checked seed into an empty world. */
export function plant(world: World, seed: Seed): void {
  const now = world.clock.now()
  const { agents = [], clinks = [] } = seed
  const owners = new Map<string, Owner>()
  for (const { name, id, email } of seed.users)
    owners.set(name, { id: id ?? `user_${name}`, name, type: 'user', email })
  for (const { name, id } of agents) owners.set(name, { id: id ?? `ap_${name}`, name, type: 'agent_profile' })
  for (const owner of owners.values()) world.tables.owners.set(owner.id, owner)
  const groups = new Map<string, StoredGroup>()
  for (const group of seed.groups) {
    const owner = named(owners, group.owner)
    const own = agents.filter((agent) => agent.group === group.slug).map(({ name }) => name)
    const others = new Set([...(group.members ?? []), ...own].map((name) => named(owners, name).id))
    others.delete(owner.id)
    const stored: StoredGroup = {
      group_id: group.id ?? randomUuid(world.random),
      slug: group.slug,
      name: group.name ?? group.slug,
      description: group.description ?? '',
      owner_id: owner.id,
      created: now,
      members: [
        { id: owner.id, role: 'admin', joined: now },
        ...Array.from(others, (id) => ({ id, role: 'member', joined: now }) as const),
      ],
      hil: {
        checkpoints: group.hil?.checkpoints ?? false,
        votes: group.hil?.votes ?? false,
        approver: named(owners, group.hil?.approver ?? group.owner).id,
      },
    }
    groups.set(group.slug, stored)
    world.tables.groups.set(stored.group_id, stored)
    createProject(world, now, { group_id: stored.group_id, title: 'General', slug: 'general', is_default: true })
  }
  plantKeys(world, seed, owners, groups)
  for (const { group, from, content, for: to } of clinks) {
    const recipient = to === undefined ? undefined : named(owners, to).id
    createClink(world, now, { group: named(groups, group), from: named(owners, from), content, for: recipient })
  }
}

function plantKeys(
  world: World,
  seed: Seed,
  owners: ReadonlyMap<string, Owner>,
  groups: ReadonlyMap<string, StoredGroup>,
): void {
  for (const key of seed.keys) {
    // The keys of an agent profile are always of its own group.
    const slug = seed.agents?.find((agent) => agent.name === key.owner)?.group ?? key.group
    const text = key.key ?? `sk_live_${slug === undefined ? 'u' : 'g'}_emulator_${key.name}`
    world.tables.keys.set(text, {
      name: key.name,
      key: text,
      owner_id: named(owners, key.owner).id,
      group_id: slug === undefined ? undefined : named(groups, slug).group_id,
      permissions: key.permissions ?? usualPermissions,
      suspended: key.suspended ?? false,
    })
  }
}
