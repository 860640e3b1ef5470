import type { PermissionsResponse } from '../../clink/records.ts'
import type { Call } from '../call.ts'
import { permissionNames, permissions } from '../permissions.ts'

export function getMyPermissions({ caller }: Call): PermissionsResponse {
  const granted = new Set(caller.key.permissions)
  return {
    permissions: Object.fromEntries(permissionNames.map((name) => [name, granted.has(name)])),
    permissions_info: Object.fromEntries(
      permissionNames.map((name) => [name, { granted: granted.has(name), description: permissions[name] }]),
    ),
    scope_type: caller.key.group_id === undefined ? 'user' : 'group',
    scope_id: caller.key.group_id ?? caller.owner.id,
    owner_type: caller.owner.type,
  }
}
