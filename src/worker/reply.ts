import type { Clink } from '../clink/records.ts'
import type { ClinkApi } from '../clink/clink-api.ts'
import { mayComeBack } from './claimed.ts'
import type { WorkerContext } from './context.ts'
import { fitText } from './response.ts'

export interface ReplyLimits {
  /** Local time after which nothing is sent. */
  readonly deadline: number
  readonly signal?: AbortSignal
  /** What the length of the text counts; bytes only after the service refused it otherwise. */
  readonly unit?: 'utf16' | 'bytes'
  /** Most tries. */
  readonly attempts?: number
}

/**
 * Sends a clink about another one. It is marked and remembered where it could arrive in our own inbox, and cut where it is
 * too long.
 *
 * @param api asks with the key that claimed the other clink.
 * @returns the id of the new clink.
 */
export async function sendReply(
  clink: Clink,
  text: string,
  to: 'sender' | 'group',
  limits: ReplyLimits,
  api: ClinkApi,
  context: WorkerContext,
): Promise<string> {
  const { unit, ...calls } = limits
  const toGroup = to === 'group'
  const mark = toGroup || mayComeBack(clink, context) ? context.config.replies.mark : undefined
  const sent = await api.sendClink(
    { group_id: clink.group_id, content: fitText(text, mark, unit).text, ...(toGroup ? {} : { for: clink.sender_id }) },
    calls,
  )
  await context.ledger.addOwn(sent.clink_id, context.clock.wall())
  context.identity.learn(sent.sender_id, 'a clink that we sent')
  if (toGroup || !context.identity.isUs(clink.sender_id)) context.warmth.answered()
  if (!toGroup && context.identity.isSomebodyElse(clink.sender_id))
    context.loopGuard.answered(clink.sender_id, sent.created_at)
  return sent.clink_id
}
