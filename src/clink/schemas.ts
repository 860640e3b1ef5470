import { z } from 'zod'
import { isRecord } from '../base/record.ts'
import { isPathPart } from './path-part.ts'
import type {
  Checkpoint,
  Clink,
  FeedbackResponse,
  Group,
  HILRequired,
  Member,
  Milestone,
  PendingVerification,
  PermissionsResponse,
  Project,
  Proposal,
  Vote,
} from './records.ts'

type OptionalKey<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T]
type Required<T> = { readonly [K in Exclude<keyof T, OptionalKey<T>>]: z.ZodType<T[K]> }
type Others<T> = { readonly [K in OptionalKey<T>]-?: z.ZodType<T[K]> }

/**
 * The schema of a record type. Fields that are not listed are kept, optional ones may be absent or null. The compiler
 * refuses a field too few, too many, in the wrong list or of the wrong type, so schema and type cannot drift apart.
 */
function record<T extends object>(required: Required<T>, optional: Others<T>): z.ZodType<T> {
  const others = Object.entries<z.ZodType>(optional).map(([name, schema]) => [name, schema.nullish()] as const)
  const schema: z.ZodType = z.looseObject({ ...required, ...Object.fromEntries(others) })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the parameters' types say that it is one of T
  return schema as z.ZodType<T>
}

const text = z.string()
const number = z.number()
const flag = z.boolean()
/** A number is read as its text, unless it may have lost digits. */
const anyId = z.preprocess((value) => (Number.isSafeInteger(value) ? String(value) : value), text)
/** Nothing could be asked about a record by an id that fits no path. */
const id = anyId.refine(isPathPart, 'not an id that can be asked with')
/** A field that a clink can be worked without: an unusable value counts as left out. */
const spare = anyId.catch('')
const spareOptional = anyId.nullish().catch(undefined)

type ClinkParts = Pick<Required<Clink>, 'clink_id' | 'group_id' | 'sender_id' | 'content' | 'status'>

const spareNeeded = { sender_name: spare, created_at: spare }
const clinkOthers: Others<Clink> = {
  group_name: spareOptional,
  // No id: one that is no text is left out, and the list of groups says what it is.
  group_slug: text.nullish().catch(undefined),
  claimed_by: spareOptional,
  claimed_at: spareOptional,
  claim_expires_at: spareOptional,
  completed_by: spareOptional,
  completed_at: spareOptional,
  for: spareOptional,
}

/** A clink is worked with what it has, so of the other fields none makes it malformed. */
function clinkWith(needed: ClinkParts): z.ZodType<Clink> {
  return record<Clink>({ ...needed, ...spareNeeded }, clinkOthers)
}

/** One that fits no path would end whoever asked with it. */
const spareId = id.catch('')
const spareParts = { clink_id: spareId, group_id: spareId, sender_id: spare, content: text.catch(''), status: spare }

/** What reads records. */
export type Schema<T> = Pick<z.ZodType<T>, 'safeParse'>

const NEEDED = Object.keys({ ...spareParts, ...spareNeeded })
const OPTIONAL = Object.keys(clinkOthers)
const isText = (value: unknown): boolean => typeof value === 'string'
const isTextOrNone = (value: unknown): boolean => isText(value) || value === undefined || value === null

/** A record that each schema of a clink would take as it is. */
function isInOrder(record: unknown): record is Clink {
  if (!isRecord(record) || record['sender_name'] === '') return false
  if (!NEEDED.every((name) => isText(record[name])) || !OPTIONAL.every((name) => isTextOrNone(record[name])))
    return false
  return isPathPart(String(record['clink_id'])) && isPathPart(String(record['group_id']))
}

/** Nearly all clinks are in order. To ask a schema about one costs ten times as much. */
function quick(schema: z.ZodType<Clink>): Schema<Clink> {
  return { safeParse: (record) => (isInOrder(record) ? { success: true, data: record } : schema.safeParse(record)) }
}

/** One that is listed. A sender without a name goes by its id. */
export const clink = quick(
  clinkWith({ clink_id: id, group_id: id, sender_id: anyId, content: text, status: text }).transform((one): Clink =>
    one.sender_name === '' ? { ...one, sender_name: one.sender_id } : one,
  ),
)

/** The answer about a clink that we know already: a field that the service leaves out is empty. */
export const knownClink = quick(clinkWith(spareParts))

/** One that was just sent. Its id is new, and its sender says who we are: for good, so that only a text counts. */
export const sentClink = clinkWith({ ...spareParts, clink_id: id, sender_id: text.catch('') })

export const group = record<Group>(
  { group_id: anyId, name: anyId, slug: anyId, description: text, owner_id: anyId, created_at: text },
  { role: text, updated_at: text },
)

export const member = record<Member>(
  { user_id: anyId, name: text, role: text, joined_at: text },
  { email: text, member_type: text },
)

const checkpoint = record<Checkpoint>(
  { order: number, title: text, description: text, status: text },
  {
    completed_by: anyId,
    completed_at: text,
    requires_proposal_id: anyId,
    proposal_status: text,
    depends_on: z.array(z.union([number, text])),
    git_branch_url: text,
    git_pr_url: text,
    git_commit_url: text,
  },
)

export const milestone = record<Milestone>(
  {
    milestone_id: anyId,
    group_id: anyId,
    title: text,
    description: text,
    status: text,
    created_by: anyId,
    created_at: text,
    total_checkpoints: number,
    completed_checkpoints: number,
    progress: text,
  },
  { project_id: anyId, updated_at: text, closed_at: text, checkpoints: z.array(checkpoint) },
)

export const project = record<Project>(
  {
    project_id: anyId,
    group_id: anyId,
    title: text,
    description: text,
    slug: text,
    color: text,
    status: text,
    is_default: flag,
    created_at: text,
  },
  {
    created_by: anyId,
    updated_at: text,
    completed_at: text,
    completed_by: anyId,
    archived_at: text,
    archived_by: anyId,
    reopened_at: text,
    reopened_by: anyId,
  },
)

const vote = record<Vote>({ voter_id: anyId, vote: text, comment: text.nullable().default(null), voted_at: text }, {})

export const proposal = record<Proposal>(
  {
    proposal_id: anyId,
    group_id: anyId,
    title: text,
    description: text,
    proposer_id: anyId,
    voting_type: text,
    threshold_type: text,
    options: z.array(text),
    status: text,
    created_at: text,
  },
  {
    deadline: text,
    finalized_at: text,
    result: text,
    threshold_met: flag,
    votes: z.array(vote),
    vote_count: number,
    tally: z.record(text, number),
    linked_milestone_id: anyId,
    linked_checkpoint_order: number,
  },
)

export const hilRequired = record<HILRequired>(
  { verification_required: z.literal(true), verification_id: anyId, message: text },
  {
    verification_status: text,
    expires_in_seconds: number,
    expires_at: text,
    sent_to: z.union([text, z.array(text)]),
    previous_verification_expired: flag,
  },
)

export const pendingVerification = record<PendingVerification>(
  {
    verification_id: anyId,
    target_type: text,
    status: text,
    expires_at: text,
    requested_by: anyId,
    requested_at: text,
    group_id: anyId,
  },
  {
    requester_name: text,
    group_name: text,
    milestone_id: anyId,
    checkpoint_order: number,
    milestone_title: text,
    checkpoint_title: text,
    proposal_id: anyId,
    proposal_title: text,
    voting_type: text,
    proposal_options: z.array(text),
  },
)

export const permissions = record<PermissionsResponse>(
  {
    permissions: z.record(text, flag),
    permissions_info: z.record(text, z.looseObject({ granted: flag, description: text })),
    scope_type: text,
    scope_id: anyId,
    owner_type: text,
  },
  {},
)

export const feedback = record<FeedbackResponse>({ feedback_id: anyId, category: text, submitted_at: text }, {})
