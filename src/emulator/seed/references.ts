import { didYouMean } from '../../base/nearest.ts'

/** The parts of a seed that refer to each other. */
interface Referring {
  readonly users: readonly { readonly name: string }[]
  readonly agents?: readonly { readonly name: string; readonly group: string }[] | undefined
  readonly groups: readonly {
    readonly slug: string
    readonly owner: string
    readonly members?: readonly string[] | undefined
    readonly hil?: { readonly approver?: string | undefined } | undefined
  }[]
  readonly keys: readonly { readonly name: string; readonly owner: string; readonly group?: string | undefined }[]
  readonly clinks?:
    readonly { readonly group: string; readonly from: string; readonly for?: string | undefined }[] | undefined
}

export interface Misreference {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** What refers to something that is not there, and names that are there twice. */
export function misreferences(seed: Referring): readonly Misreference[] {
  const { users, agents = [], groups, keys, clinks = [] } = seed
  const found: Misreference[] = []
  const refer = (
    what: string,
    known: readonly string[],
    name: string | undefined,
    ...path: (string | number)[]
  ): void => {
    if (name !== undefined && !known.includes(name))
      found.push({ path, message: `is no ${what}${didYouMean(name, known)}` })
  }
  const people = users.map(({ name }) => name)
  const owners = [...people, ...agents.map(({ name }) => name)]
  const slugs = groups.map(({ slug }) => slug)
  const membersOf = (slug: string): readonly string[] => {
    const group = groups.find((other) => other.slug === slug)
    const own = agents.filter((agent) => agent.group === slug).map(({ name }) => name)
    return group === undefined ? owners : [group.owner, ...(group.members ?? []), ...own]
  }
  agents.forEach(({ group }, index) => refer('group', slugs, group, 'agents', index, 'group'))
  for (const [index, { owner, members = [], hil }] of groups.entries()) {
    refer('user', people, owner, 'groups', index, 'owner')
    members.forEach((name, place) => refer('user', people, name, 'groups', index, 'members', place))
    refer('user', people, hil?.approver, 'groups', index, 'hil', 'approver')
  }
  for (const [index, { owner, group }] of keys.entries()) {
    refer('user or agent', owners, owner, 'keys', index, 'owner')
    refer('group', slugs, group, 'keys', index, 'group')
  }
  for (const [index, clink] of clinks.entries()) {
    refer('group', slugs, clink.group, 'clinks', index, 'group')
    refer('member of the group', membersOf(clink.group), clink.from, 'clinks', index, 'from')
    refer('member of the group', membersOf(clink.group), clink.for, 'clinks', index, 'for')
  }
  const twice = (names: readonly string[], pathOf: (index: number) => (string | number)[]): void =>
    names.forEach((name, index) => {
      if (names.indexOf(name) !== index) found.push({ path: pathOf(index), message: 'is there twice' })
    })
  twice(owners, (index) => (index < users.length ? ['users', index, 'name'] : ['agents', index - users.length, 'name']))
  twice(slugs, (index) => ['groups', index, 'slug'])
  twice(
    keys.map(({ name }) => name),
    (index) => ['keys', index, 'name'],
  )
  return found
}
