import { decoders, type ResultOf } from './results.ts'
import { enveloped, healthOf } from './decode.ts'
import type { OperationName } from './contract.ts'
import type { CallOptions } from './caller.ts'
import { isGroupId } from './group-id.ts'
import { Requester, type ClientOptions } from './requester.ts'
import { wireCall, type WireCall } from './request.ts'
import type { ParamsOf } from './signatures.ts'

export type { CallOptions, RequestWatch } from './caller.ts'
export type { ClientOptions, KeySource } from './requester.ts'
export type { ResultOf } from './results.ts'
export type { Completion, InboxPage, Malformed, NewCheckpoint, ParamsOf } from './signatures.ts'

type Method<N extends OperationName> = (params: ParamsOf<N>, options?: CallOptions) => Promise<ResultOf<N>>
type Optional<N extends OperationName> = (params?: ParamsOf<N>, options?: CallOptions) => Promise<ResultOf<N>>

/** Results that need no request. */
const local: { readonly [N in OperationName]?: (params: ParamsOf<N>) => ResultOf<N> | undefined } = {
  resolve_group: ({ slug }) => (isGroupId(slug) ? slug : undefined),
}

/**
 * The Clink API, one method an operation. All of them throw `ClinkApiError` when the service refuses or does not answer,
 * and `CodedError` USAGE, before any request, for parameters that cannot be sent.
 */
export class ClinkClient {
  readonly #requester: Requester

  constructor(options: ClientOptions) {
    this.#requester = new Requester(options)
  }

  get sessionId(): string {
    return this.#requester.sessionId
  }

  get url(): string {
    return this.#requester.url
  }

  /** Any operation by its name: what the methods below do. */
  async call<N extends OperationName>(operation: N, params: ParamsOf<N>, options?: CallOptions): Promise<ResultOf<N>> {
    const call = wireCall(operation, params)
    return local[operation]?.(params) ?? (await this.#requester.ask(call, enveloped(decoders[operation]), options))
  }

  /** Whether the service answers. Sent without the key. */
  health(options?: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    const call: WireCall = { operation: 'health', method: 'GET', path: '/health', repeat: 'always', changes: false }
    return this.#requester.ask(call, healthOf, options)
  }

  /** Ends the client's own connections; calls under way fail as aborted. A transport that was given stays open. */
  close(): void {
    this.#requester.close()
  }

  #method<N extends OperationName>(operation: N): Method<N> {
    return (params, options) => this.call(operation, params, options)
  }

  /** The method of an operation that needs no parameters. */
  #optional<N extends OperationName>(operation: N, none: ParamsOf<N>): Optional<N> {
    return (params = none, options) => this.call(operation, params, options)
  }

  /** Groups that the key sees. */
  readonly listGroups = this.#optional('list_groups', {})
  /** The id of a group by its slug. An id is returned as it is, without a request. */
  readonly resolveGroup = this.#method('resolve_group')
  /** One group. */
  readonly getGroup = this.#method('get_group')
  /** Members of a group. */
  readonly listMembers = this.#method('list_members')
  /** Clinks of the groups that the key sees, in any state; with `mark_read` nothing is sent twice. */
  readonly getClinks = this.#optional('get_clinks', {})
  /** Mark the clinks of groups as read. */
  readonly markRead = this.#method('mark_read')
  /** Send a clink to a group. */
  readonly sendClink = this.#method('send_clink')
  /** Clinks that wait for me; with `claim` they become mine, and then nothing is sent twice. */
  readonly checkInbox = this.#optional('check_inbox', {})
  /** Claim a clink, or renew the claim on it. */
  readonly claimClink = this.#method('claim_clink')
  /** Give a claimed clink back. */
  readonly releaseClink = this.#method('release_clink')
  /** Complete a claimed clink. */
  readonly completeClink = this.#method('complete_clink')
  /** Create a milestone with its checkpoints. */
  readonly createMilestone = this.#method('create_milestone')
  /** Milestones of a group. */
  readonly listMilestones = this.#method('list_milestones')
  /** One milestone with its checkpoints. */
  readonly getMilestone = this.#method('get_milestone')
  /** Change a milestone that is not closed. */
  readonly updateMilestone = this.#method('update_milestone')
  /** Add a checkpoint to a milestone. */
  readonly addCheckpoint = this.#method('add_checkpoint')
  /** Change a checkpoint. */
  readonly updateCheckpoint = this.#method('update_checkpoint')
  /** Delete a checkpoint that is not completed and that no other depends on. */
  readonly deleteCheckpoint = this.#method('delete_checkpoint')
  /** Complete a checkpoint; may ask a human for approval first. */
  readonly completeCheckpoint = this.#method('complete_checkpoint')
  /** Open a closed milestone again. */
  readonly reopenMilestone = this.#method('reopen_milestone')
  /** Create a project. */
  readonly createProject = this.#method('create_project')
  /** Projects of a group. */
  readonly listProjects = this.#method('list_projects')
  /** One project. */
  readonly getProject = this.#method('get_project')
  /** Change a project. */
  readonly updateProject = this.#method('update_project')
  /** Complete a project. */
  readonly completeProject = this.#method('complete_project')
  /** Archive a project. */
  readonly archiveProject = this.#method('archive_project')
  /** Open a completed or archived project again. */
  readonly reopenProject = this.#method('reopen_project')
  /** Milestones of a project. */
  readonly listProjectMilestones = this.#method('list_project_milestones')
  /** Create a proposal. */
  readonly createProposal = this.#method('create_proposal')
  /** Proposals of a group. */
  readonly listProposals = this.#method('list_proposals')
  /** One proposal with its votes. */
  readonly getProposal = this.#method('get_proposal')
  /** Vote on a proposal; may ask a human for approval first. */
  readonly castVote = this.#method('cast_vote')
  /** End the voting and count. */
  readonly finalizeProposal = this.#method('finalize_proposal')
  /** Send feedback to the service. */
  readonly submitFeedback = this.#method('submit_feedback')
  /** What the key may do. */
  readonly getMyPermissions = this.#optional('get_my_permissions', {})
  /** Approvals that wait for a human. */
  readonly listPendingVerifications = this.#method('list_pending_verifications')
}
