/** What a key may be allowed, with the words that the service has for it. */
export const permissions = {
  'clinks:read': 'Read clinks and the inbox',
  'clinks:write': 'Send, claim, complete and release clinks',
  'milestones:read': 'Read milestones',
  'milestones:write': 'Create and change milestones and checkpoints',
  'milestones:complete': 'Complete checkpoints',
  'projects:read': 'Read projects',
  'projects:write': 'Create and change projects',
  'proposals:read': 'Read proposals',
  'proposals:create': 'Create and finalize proposals',
  'proposals:vote': 'Vote on proposals',
  'members:read': 'List members',
  'members:invite': 'Invite members',
  'members:remove': 'Remove members',
  feedback: 'Send feedback to the service',
} as const

export type Permission = keyof typeof permissions

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- keys of a constant object
export const permissionNames = Object.keys(permissions) as readonly Permission[]

/** What a key has where nothing is said: everything except feedback, which must be granted. */
export const usualPermissions: readonly Permission[] = permissionNames.filter((name) => name !== 'feedback')
