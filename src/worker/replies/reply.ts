import type { ClinkApi } from '../../clink/clink-api.ts'
import { fitText } from './text.ts'
import { mayComeBack, sign, type Sending } from './sign.ts'
import type { ReplyContext } from './context.ts'

export interface ReplyLimits {
  /** Local time after which nothing is sent. */
  readonly deadline: number
  readonly signal?: AbortSignal
  /** What the length of the text counts; bytes only after the service refused it otherwise. */
  readonly unit?: 'utf16' | 'bytes'
  /** Most tries. */
  readonly attempts?: number
}

/** A clink of ours that was sent. */
export interface Sent {
  readonly id: string
  /** Whose it is; undefined: the group's, or nobody knows whose. */
  readonly to: string | undefined
  /** When it was sent, by the service. */
  readonly at: string | undefined
  /** Who sent it, by the service. */
  readonly from: string | undefined
}

/**
 * Sends a clink about another one, signed and cut where it is too long.
 *
 * @param api asks with the key that claimed the other clink.
 * @returns the id of the new clink.
 */
export async function sendReply(
  text: string,
  sending: Sending,
  limits: ReplyLimits,
  api: ClinkApi,
  context: ReplyContext,
): Promise<string> {
  const { unit, ...calls } = limits
  const { clink, to } = sending
  const signed = sign(text, sending, context)
  const content = fitText(signed.text, signed.line, unit).text
  const recipient = to === undefined ? {} : { for: to }
  const sent = await api.sendClink({ group_id: clink.group_id, content, ...recipient }, calls)
  await noteSent({ id: sent.clink_id, to, at: sent.created_at, from: sent.sender_id }, context)
  return sent.clink_id
}

/** What is to be known of a clink of ours that was sent. */
export async function noteSent({ at, from, id, to }: Sent, context: ReplyContext): Promise<void> {
  context.identity.learn(from, 'a clink that we sent')
  noteAnswer(to, at, context)
  await noteOwn(id, to, context)
}

/** Somebody has been answered, and may well write again. @param at when, by the service. */
export function noteAnswer(to: string | undefined, at: string | null | undefined, context: ReplyContext): void {
  const { identity, loopGuard, warmth } = context
  if (!identity.isUs(to)) warmth.answered()
  if (to !== undefined && identity.isSomebodyElse(to)) loopGuard.answered(to, at)
}

/** Remembers what may come back to us, signed or not. */
export async function noteOwn(id: string, to: string | undefined, context: ReplyContext): Promise<void> {
  if (mayComeBack(to, context)) await context.ledger.addOwn(id, context.clock.wall())
}
