import { EXIT } from '../../base/coded-error.ts'
import type { ClinkClient } from '../../clink/client.ts'
import { isGroupId } from '../../clink/group-id.ts'
import type { Group, PermissionsResponse } from '../../clink/records.ts'
import type { Config } from '../../config/config.ts'
import { isGlob, globs } from '../../handlers/globs.ts'
import type { DescribedRoute } from '../../handlers/handler-set.ts'
import { NEEDED } from '../../keys/key-check.ts'
import { failed, isFinding, ok, warning, type Finding } from './finding.ts'
import { ask } from './service-advice.ts'

/** What the key may do, and which groups it sees. */
export async function* keyFindings(
  client: ClinkClient,
  config: Config,
  routes: readonly DescribedRoute[],
): AsyncGenerator<Finding> {
  const granted = await ask('permissions', async () => await client.getMyPermissions())
  yield isFinding(granted) ? granted : permissionsFinding(granted, config)
  if (isFinding(granted)) return
  const seen = await ask('groups', async () => await client.listGroups())
  if (isFinding(seen)) yield seen
  else if (seen.groups.length > 0) yield* groupFindings(seen.groups, config, routes)
  else yield warning('groups', 'the key sees no group: there will be no work', 'have its owner taken into a group')
}

function permissionsFinding(granted: PermissionsResponse, { replies }: Config): Finding {
  const names = Object.keys(granted.permissions).filter((name) => granted.permissions[name] === true)
  const missing = NEEDED.filter((name) => !names.includes(name))
  if (missing.length > 0) {
    const detail = `the key lacks ${missing.join(' and ')}, without which nothing can be worked; it has ${names.join(', ') || 'none'}`
    return failed('permissions', detail, EXIT.refused, `have the key given ${missing.join(' and ')}, or use another`)
  }
  const detail = `${NEEDED.join(', ')}, and ${names.length - NEEDED.length} more (${granted.owner_type}, ${granted.scope_type} scope)`
  if (replies.mark === '' || names.includes('members:read')) return ok('permissions', detail)
  const lost =
    'only ids that begin with ap_ are known as those of agents then: an answer to another worker may go out without the line that ends circles'
  return warning('permissions', `${detail}; not members:read`, `have the key given members:read: ${lost}`)
}

function* groupFindings(
  seen: readonly Group[],
  { inbox }: Config,
  routes: readonly DescribedRoute[],
): Generator<Finding> {
  const slugs = seen.map(({ slug }) => slug).join(', ')
  yield ok('groups', slugs)
  for (const group of inbox.groups) {
    if (seen.some(({ group_id: id, slug }) => slug === group || id === group)) continue
    const detail = `inbox.groups: the key sees no group ${group}, only ${slugs}`
    yield failed('groups', detail, EXIT.config, 'mend the name, or have the owner of the key taken into that group')
  }
  const texts = seen.flatMap(({ group_id: id, slug }) => [id, slug])
  for (const { groups, place, route } of routes) {
    if (groups === undefined || globs(groups)(...texts)) continue
    const named = [groups].flat().map((group) => (isGlob(group) || isGroupId(group) ? group : `"${group}"`))
    const detail = `${place}: the route ${route.name} is for ${named.join(', ')}, and the key sees only ${slugs}`
    yield warning('groups', detail, 'nothing will come by this route: mend the name of its group')
  }
}
