import { CodedError } from '../../base/coded-error.ts'
import { usualPermissions } from '../permissions.ts'
import { createProject } from '../resources/project-store.ts'
import { send } from '../resources/clinks.ts'
import type { Owner, StoredGroup } from '../store/tables.ts'
import { didYouMean } from '../suggest.ts'
import type { World } from '../world.ts'
import type { Seed } from './seed.ts'

/** Finds what a seed refers to by name; a name that does not exist is an error that says where. */
class Names<T> {
  readonly #what: string
  readonly #source: string
  readonly #byName = new Map<string, T>()

  constructor(what: string, source: string) {
    this.#what = what
    this.#source = source
  }

  add(name: string, item: T): void {
    if (this.#byName.has(name)) {
      throw new CodedError('FILE_INVALID', `${this.#source}: there are two of the ${this.#what} "${name}"`)
    }
    this.#byName.set(name, item)
  }

  get(name: string, where: string): T {
    const item = this.#byName.get(name)
    if (item !== undefined) return item
    const hint = didYouMean(name, [...this.#byName.keys()])
    throw new CodedError('FILE_INVALID', `${this.#source}: ${where}: no ${this.#what} "${name}"${hint}`)
  }
}

const byteText = (n: number): string => n.toString(16).padStart(2, '0')

function randomUuid(random: () => number): string {
  const bytes = Array.from({ length: 16 }, () => Math.floor(random() * 256))
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.map((byte) => byteText(byte)).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Puts a checked seed into an empty world. `source` is what errors name. */
export function plant(world: World, seed: Seed, source: string): void {
  const now = world.clock.now()
  const owners = new Names<Owner>('user or agent', source)
  const groups = new Names<StoredGroup>('group', source)
  for (const { name, id, email } of seed.users)
    owners.add(name, { id: id ?? `user_${name}`, name, type: 'user', email })
  for (const { name, id } of seed.agents ?? [])
    owners.add(name, { id: id ?? `ap_${name}`, name, type: 'agent_profile' })
  for (const [index, group] of seed.groups.entries()) {
    const where = `groups[${index}]`
    const owner = owners.get(group.owner, where)
    const users = [...new Set((group.members ?? []).map((name) => owners.get(name, where).id))]
    const agents = (seed.agents ?? []).filter((agent) => agent.group === group.slug)
    const others = [...users, ...agents.map(({ name }) => owners.get(name, where).id)].filter((id) => id !== owner.id)
    const stored: StoredGroup = {
      group_id: group.id ?? randomUuid(world.random),
      slug: group.slug,
      name: group.name ?? group.slug,
      description: group.description ?? '',
      owner_id: owner.id,
      created: now,
      members: [
        { id: owner.id, role: 'admin', joined: now },
        ...others.map((id) => ({ id, role: 'member', joined: now }) as const),
      ],
      hil: {
        checkpoints: group.hil?.checkpoints ?? false,
        votes: group.hil?.votes ?? false,
        approver: owners.get(group.hil?.approver ?? group.owner, `${where}.hil`).id,
      },
    }
    groups.add(group.slug, stored)
    world.tables.groups.set(stored.group_id, stored)
    createProject(world, now, { group_id: stored.group_id, title: 'General', slug: 'general', is_default: true })
  }
  for (const [index, agent] of (seed.agents ?? []).entries()) groups.get(agent.group, `agents[${index}]`)
  for (const { name } of [...seed.users, ...(seed.agents ?? [])]) {
    const owner = owners.get(name, '')
    world.tables.owners.set(owner.id, owner)
  }
  plantKeys(world, seed, source, { owners, groups })
  for (const [index, clink] of (seed.clinks ?? []).entries()) {
    const where = `clinks[${index}]`
    const group = groups.get(clink.group, where)
    const to = clink.for === undefined ? undefined : owners.get(clink.for, where).id
    send(world, now, { group, from: owners.get(clink.from, where), content: clink.content, for: to })
  }
}

function plantKeys(
  world: World,
  seed: Seed,
  source: string,
  { owners, groups }: { owners: Names<Owner>; groups: Names<StoredGroup> },
): void {
  const seen = new Names<string>('key', source)
  for (const [index, key] of seed.keys.entries()) {
    const where = `keys[${index}]`
    const owner = owners.get(key.owner, where)
    // The keys of an agent profile are always of its own group.
    const slug = seed.agents?.find((agent) => agent.name === key.owner)?.group ?? key.group
    const text = key.key ?? `sk_live_${slug === undefined ? 'u' : 'g'}_emulator_${key.name}`
    seen.add(key.name, text)
    world.tables.keys.set(text, {
      name: key.name,
      key: text,
      owner_id: owner.id,
      group_id: slug === undefined ? undefined : groups.get(slug, where).group_id,
      permissions: key.permissions ?? usualPermissions,
      suspended: key.suspended ?? false,
    })
  }
}
