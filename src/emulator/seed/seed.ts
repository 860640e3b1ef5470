import { z } from 'zod'
import { permissionNames } from '../permissions.ts'
import { misreferences } from './references.ts'

const name = z.string().min(1)

const user = z.strictObject({ name, id: name.optional(), email: z.string().optional() })
const agent = z.strictObject({ name, id: name.optional(), group: name })
const hil = z.strictObject({
  checkpoints: z.boolean().optional(),
  votes: z.boolean().optional(),
  /** Name of the user who is written to; the group's owner where none is given. */
  approver: name.optional(),
})
const group = z.strictObject({
  slug: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower case letters, digits and hyphens'),
  id: z.uuid().optional(),
  name: name.optional(),
  description: z.string().optional(),
  owner: name,
  /** Names of users; the owner is a member anyway. */
  members: z.array(name).optional(),
  hil: hil.optional(),
})
const key = z.strictObject({
  /** Also a part of the key where no text is given for it. */
  name: z.string().regex(/^[\w.:-]+$/, 'must be letters, digits and . : _ -'),
  owner: name,
  /** Slug of the only group that the key sees; without it a user's key sees all groups of its user. */
  group: name.optional(),
  key: z
    .string()
    .regex(/^sk_live_[\w.:-]+$/, 'must start with sk_live_ and go on with letters, digits and . : _ -')
    .optional(),
  permissions: z.array(z.enum(permissionNames)).optional(),
  suspended: z.boolean().optional(),
})
const clink = z.strictObject({ group: name, from: name, content: name.max(4_096), for: name.optional() })

/** What an emulator starts from. Users, agents, groups and keys refer to each other by name and slug. */
export const seedSchema = z
  .strictObject({
    users: z.array(user).min(1),
    agents: z.array(agent).optional(),
    groups: z.array(group).min(1),
    keys: z.array(key).min(1),
    clinks: z.array(clink).optional(),
  })
  .superRefine((seed, context) => {
    for (const { path, message } of misreferences(seed)) {
      context.addIssue({ code: 'custom', path: [...path], message })
    }
  })

export type Seed = z.input<typeof seedSchema>
