import { randomUUID } from 'node:crypto'
import type { Random } from '../base/backoff.ts'
import { CodedError } from '../base/coded-error.ts'
import { systemClock, type Clock } from '../base/clock.ts'
import { chooseProxy, proxyProblem, type ForwardProxy } from '../base/proxy.ts'
import type { Secret } from '../base/secret.ts'
import { AnswerReader } from './answer.ts'
import { baseUrl } from './base-url.ts'
import { Caller } from './caller.ts'
import type { OperationName } from './contract.ts'
import { apiKey, sessionId } from './credentials.ts'
import { ClinkApiError } from './errors.ts'
import { enveloped, healthOf, type Decode } from './decode.ts'
import { GotTransport } from './got-transport.ts'
import { wireCall, type WireCall } from './request.ts'
import { decoders } from './results.ts'
import type { ParamsOf, ResultOf } from './signatures.ts'
import type { Transport } from './transport.ts'
import { refusesKey } from './verdicts.ts'
import { packageVersion } from './version.ts'

export type { Completion, InboxPage, Malformed, NewCheckpoint, ParamsOf, ResultOf } from './signatures.ts'

/** A key that may become another one while its client lives. */
export interface KeySource {
  /** The key for the next request; its form was looked at. */
  readonly key: Secret
  /** The service takes this key no more (401): the one to ask with instead, at once. Undefined: there is none. */
  instead(refused: Secret, operation: OperationName): Secret | undefined
}

export interface ClientOptions {
  /** Begins with `sk_live_`; anything else is refused before any request, without being shown. */
  readonly key: string | Secret | KeySource
  /** Address of the service, with a path prefix or none. Default: `https://api.clink.voxos.ai`. */
  readonly url?: string | undefined
  /** Tells agents apart that use one key. Default: random, once per client. */
  readonly sessionId?: string | undefined
  /** Milliseconds for each try. Default: 30 000. */
  readonly timeout?: number | undefined
  /** Most tries of a call that may be repeated. Default: 4. */
  readonly attempts?: number | undefined
  /** Default: what `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say. Null: none. */
  readonly proxy?: ForwardProxy | null | undefined
  /** Stays the caller's to close. Default: one of the client's own. */
  readonly transport?: Transport | undefined
  readonly clock?: Clock | undefined
  readonly random?: Random | undefined
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** `Clock.now` milliseconds: nothing is sent and nothing awaited after it. */
  readonly deadline?: number | undefined
  /** Milliseconds for each try. */
  readonly timeout?: number | undefined
  /** Most tries; 1: no repeat. */
  readonly attempts?: number | undefined
}

const DEFAULT_URL = 'https://api.clink.voxos.ai'
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
  readonly sessionId: string
  readonly url: string
  readonly #keys: KeySource
  readonly #caller: Caller
  readonly #timeout: number
  readonly #attempts: number
  readonly #userAgent = `clink-worker/${packageVersion()}`
  #own: GotTransport | undefined

  constructor(options: ClientOptions) {
    this.#keys = keySource(options.key)
    this.url = baseUrl(options.url ?? DEFAULT_URL)
    this.sessionId = sessionId(options.sessionId ?? randomUUID())
    this.#timeout = positive('timeout', options.timeout ?? 30_000)
    this.#attempts = positive('attempts', options.attempts ?? 4)
    const clock = options.clock ?? systemClock()
    const transport =
      options.transport ?? (this.#own = new GotTransport({ url: this.url, clock, proxy: this.#proxy(options.proxy) }))
    this.#caller = new Caller(transport, clock, options.random ?? Math.random)
  }

  #proxy(given: ForwardProxy | null | undefined): ForwardProxy | undefined {
    if (given !== undefined) return given ?? undefined
    const choice = chooseProxy(this.url, process.env)
    if ('problem' in choice) throw new CodedError('USAGE', proxyProblem(choice))
    return choice.proxy
  }

  /** Any operation by its name: what the methods below do. */
  async call<N extends OperationName>(operation: N, params: ParamsOf<N>, options?: CallOptions): Promise<ResultOf<N>> {
    const call = wireCall(operation, params)
    return local[operation]?.(params) ?? (await this.#ask(call, enveloped(decoders[operation]), options))
  }

  /** Whether the service answers. Sent without the key. */
  health(options?: CallOptions): Promise<Readonly<Record<string, unknown>>> {
    const call: WireCall = { operation: 'health', method: 'GET', path: '/health', repeat: 'always', changes: false }
    return this.#ask(call, healthOf, options)
  }

  /** Ends the client's own connections; calls under way fail as aborted. A transport that was given stays open. */
  close(): void {
    this.#own?.close()
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

  async #ask<T>(call: WireCall, decode: Decode<T>, options: CallOptions = {}): Promise<T> {
    const { key } = this.#keys
    try {
      return await this.#askWith(key, call, decode, options)
    } catch (error) {
      // Whoever is refused like this was not listened to, so that asking again repeats nothing.
      const isRefused = error instanceof ClinkApiError && refusesKey(error)
      const { operation } = call
      const other = isRefused && operation !== 'health' ? this.#keys.instead(key, operation) : undefined
      if (other === undefined) throw error
      return await this.#askWith(other, call, decode, options)
    }
  }

  async #askWith<T>(key: Secret, call: WireCall, decode: Decode<T>, options: CallOptions): Promise<T> {
    const reader = new AnswerReader(call, decode, (text) => text.replaceAll(key.reveal(), '[secret]'))
    const timeout = positive('timeout', options.timeout ?? this.#timeout)
    const attempts = positive('attempts', options.attempts ?? this.#attempts)
    const { signal, deadline } = options
    return await this.#caller.send(call, this.#headersOf(call, key), reader, { timeout, attempts, signal, deadline })
  }

  #headersOf({ operation }: WireCall, key: Secret): Record<string, string> {
    const general = { accept: 'application/json', 'user-agent': this.#userAgent }
    if (operation === 'health') return general
    return {
      ...general,
      authorization: `Bearer ${key.reveal()}`,
      'content-type': 'application/json',
      'x-clink-session-id': this.sessionId,
    }
  }
}

function keySource(key: ClientOptions['key']): KeySource {
  if (typeof key === 'object' && 'instead' in key) return key
  const only = apiKey(key)
  return { key: only, instead: () => undefined }
}

function positive(name: string, value: number): number {
  if (value > 0 && Number.isFinite(value)) return value
  throw new CodedError('USAGE', `${name} must be a number above 0: ${value}`)
}
