import { decoders } from './results.ts'
import { enveloped, healthOf } from './decode.ts'
import type { OperationName } from './contract.ts'
import { Requester, type CallOptions, type ClientOptions } from './requester.ts'
import { wireCall, type WireCall } from './request.ts'
import type { ParamsOf, ResultOf } from './signatures.ts'

export type { CallOptions, ClientOptions, KeySource } from './requester.ts'
export type { Completion, InboxPage, Malformed, NewCheckpoint, ParamsOf, ResultOf } from './signatures.ts'

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** Results that need no request. */
const local: { readonly [N in OperationName]?: (params: ParamsOf<N>) => ResultOf<N> | undefined } = {
  resolve_group: ({ slug }) => (UUID.test(slug) ? slug : undefined),
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

  /** Groups that the key sees. */
  listGroups(params: ParamsOf<'list_groups'> = {}, options?: CallOptions): Promise<ResultOf<'list_groups'>> {
    return this.call('list_groups', params, options)
  }

  /** The id of a group by its slug. An id is returned as it is, without a request. */
  resolveGroup(params: ParamsOf<'resolve_group'>, options?: CallOptions): Promise<ResultOf<'resolve_group'>> {
    return this.call('resolve_group', params, options)
  }

  /** One group. */
  getGroup(params: ParamsOf<'get_group'>, options?: CallOptions): Promise<ResultOf<'get_group'>> {
    return this.call('get_group', params, options)
  }

  /** Members of a group. */
  listMembers(params: ParamsOf<'list_members'>, options?: CallOptions): Promise<ResultOf<'list_members'>> {
    return this.call('list_members', params, options)
  }

  /** Clinks of the groups that the key sees, in any state; with `mark_read` nothing is sent twice. */
  getClinks(params: ParamsOf<'get_clinks'> = {}, options?: CallOptions): Promise<ResultOf<'get_clinks'>> {
    return this.call('get_clinks', params, options)
  }

  /** Mark the clinks of groups as read. */
  markRead(params: ParamsOf<'mark_read'>, options?: CallOptions): Promise<ResultOf<'mark_read'>> {
    return this.call('mark_read', params, options)
  }

  /** Send a clink to a group. */
  sendClink(params: ParamsOf<'send_clink'>, options?: CallOptions): Promise<ResultOf<'send_clink'>> {
    return this.call('send_clink', params, options)
  }

  /** Clinks that wait for me; with `claim` they become mine, and then nothing is sent twice. */
  checkInbox(params: ParamsOf<'check_inbox'> = {}, options?: CallOptions): Promise<ResultOf<'check_inbox'>> {
    return this.call('check_inbox', params, options)
  }

  /** Claim a clink, or renew the claim on it. */
  claimClink(params: ParamsOf<'claim_clink'>, options?: CallOptions): Promise<ResultOf<'claim_clink'>> {
    return this.call('claim_clink', params, options)
  }

  /** Give a claimed clink back. */
  releaseClink(params: ParamsOf<'release_clink'>, options?: CallOptions): Promise<ResultOf<'release_clink'>> {
    return this.call('release_clink', params, options)
  }

  /** Complete a claimed clink. */
  completeClink(params: ParamsOf<'complete_clink'>, options?: CallOptions): Promise<ResultOf<'complete_clink'>> {
    return this.call('complete_clink', params, options)
  }

  /** Create a milestone with its checkpoints. */
  createMilestone(params: ParamsOf<'create_milestone'>, options?: CallOptions): Promise<ResultOf<'create_milestone'>> {
    return this.call('create_milestone', params, options)
  }

  /** Milestones of a group. */
  listMilestones(params: ParamsOf<'list_milestones'>, options?: CallOptions): Promise<ResultOf<'list_milestones'>> {
    return this.call('list_milestones', params, options)
  }

  /** One milestone with its checkpoints. */
  getMilestone(params: ParamsOf<'get_milestone'>, options?: CallOptions): Promise<ResultOf<'get_milestone'>> {
    return this.call('get_milestone', params, options)
  }

  /** Change a milestone that is not closed. */
  updateMilestone(params: ParamsOf<'update_milestone'>, options?: CallOptions): Promise<ResultOf<'update_milestone'>> {
    return this.call('update_milestone', params, options)
  }

  /** Add a checkpoint to a milestone. */
  addCheckpoint(params: ParamsOf<'add_checkpoint'>, options?: CallOptions): Promise<ResultOf<'add_checkpoint'>> {
    return this.call('add_checkpoint', params, options)
  }

  /** Change a checkpoint. */
  updateCheckpoint(
    params: ParamsOf<'update_checkpoint'>,
    options?: CallOptions,
  ): Promise<ResultOf<'update_checkpoint'>> {
    return this.call('update_checkpoint', params, options)
  }

  /** Delete a checkpoint that is not completed and that no other depends on. */
  deleteCheckpoint(
    params: ParamsOf<'delete_checkpoint'>,
    options?: CallOptions,
  ): Promise<ResultOf<'delete_checkpoint'>> {
    return this.call('delete_checkpoint', params, options)
  }

  /** Complete a checkpoint; may ask a human for approval first. */
  completeCheckpoint(
    params: ParamsOf<'complete_checkpoint'>,
    options?: CallOptions,
  ): Promise<ResultOf<'complete_checkpoint'>> {
    return this.call('complete_checkpoint', params, options)
  }

  /** Open a closed milestone again. */
  reopenMilestone(params: ParamsOf<'reopen_milestone'>, options?: CallOptions): Promise<ResultOf<'reopen_milestone'>> {
    return this.call('reopen_milestone', params, options)
  }

  /** Create a project. */
  createProject(params: ParamsOf<'create_project'>, options?: CallOptions): Promise<ResultOf<'create_project'>> {
    return this.call('create_project', params, options)
  }

  /** Projects of a group. */
  listProjects(params: ParamsOf<'list_projects'>, options?: CallOptions): Promise<ResultOf<'list_projects'>> {
    return this.call('list_projects', params, options)
  }

  /** One project. */
  getProject(params: ParamsOf<'get_project'>, options?: CallOptions): Promise<ResultOf<'get_project'>> {
    return this.call('get_project', params, options)
  }

  /** Change a project. */
  updateProject(params: ParamsOf<'update_project'>, options?: CallOptions): Promise<ResultOf<'update_project'>> {
    return this.call('update_project', params, options)
  }

  /** Complete a project. */
  completeProject(params: ParamsOf<'complete_project'>, options?: CallOptions): Promise<ResultOf<'complete_project'>> {
    return this.call('complete_project', params, options)
  }

  /** Archive a project. */
  archiveProject(params: ParamsOf<'archive_project'>, options?: CallOptions): Promise<ResultOf<'archive_project'>> {
    return this.call('archive_project', params, options)
  }

  /** Open a completed or archived project again. */
  reopenProject(params: ParamsOf<'reopen_project'>, options?: CallOptions): Promise<ResultOf<'reopen_project'>> {
    return this.call('reopen_project', params, options)
  }

  /** Milestones of a project. */
  listProjectMilestones(
    params: ParamsOf<'list_project_milestones'>,
    options?: CallOptions,
  ): Promise<ResultOf<'list_project_milestones'>> {
    return this.call('list_project_milestones', params, options)
  }

  /** Create a proposal. */
  createProposal(params: ParamsOf<'create_proposal'>, options?: CallOptions): Promise<ResultOf<'create_proposal'>> {
    return this.call('create_proposal', params, options)
  }

  /** Proposals of a group. */
  listProposals(params: ParamsOf<'list_proposals'>, options?: CallOptions): Promise<ResultOf<'list_proposals'>> {
    return this.call('list_proposals', params, options)
  }

  /** One proposal with its votes. */
  getProposal(params: ParamsOf<'get_proposal'>, options?: CallOptions): Promise<ResultOf<'get_proposal'>> {
    return this.call('get_proposal', params, options)
  }

  /** Vote on a proposal; may ask a human for approval first. */
  castVote(params: ParamsOf<'cast_vote'>, options?: CallOptions): Promise<ResultOf<'cast_vote'>> {
    return this.call('cast_vote', params, options)
  }

  /** End the voting and count. */
  finalizeProposal(
    params: ParamsOf<'finalize_proposal'>,
    options?: CallOptions,
  ): Promise<ResultOf<'finalize_proposal'>> {
    return this.call('finalize_proposal', params, options)
  }

  /** Send feedback to the service. */
  submitFeedback(params: ParamsOf<'submit_feedback'>, options?: CallOptions): Promise<ResultOf<'submit_feedback'>> {
    return this.call('submit_feedback', params, options)
  }

  /** What the key may do. */
  getMyPermissions(
    params: ParamsOf<'get_my_permissions'> = {},
    options?: CallOptions,
  ): Promise<ResultOf<'get_my_permissions'>> {
    return this.call('get_my_permissions', params, options)
  }

  /** Approvals that wait for a human. */
  listPendingVerifications(
    params: ParamsOf<'list_pending_verifications'>,
    options?: CallOptions,
  ): Promise<ResultOf<'list_pending_verifications'>> {
    return this.call('list_pending_verifications', params, options)
  }
}
