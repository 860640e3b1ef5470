import type { Clink } from '../../clink/records.ts'
import type { Route } from '../../handlers/route.ts'
import type { AgentProfiles } from './agent-profiles.ts'
import { endingLine, hopsOf, isJson, readText, withJsonHops } from './hops.ts'
import type { ReplyContext } from './context.ts'

/** Something that is about to be sent because of the clink in hand. */
export interface Sending {
  /** The clink in hand. */
  readonly clink: Clink
  /** Whose it will be; undefined: the group's, or nobody knows whose. */
  readonly to: string | undefined
  readonly is: 'answer' | 'note'
  /** The route's. */
  readonly mark: Route['mark']
}

/** What is sent, with what tells workers whose it is and how many answers have led to it. */
export interface Signed {
  readonly text: string
  /** Its last line; undefined: none. */
  readonly line: string | undefined
}

interface Parts extends Pick<ReplyContext, 'identity' | 'settings'> {
  readonly agentProfiles: Pick<AgentProfiles, 'has'>
}

/**
 * Signs what may come back to us, what goes on with the hops of the clink in hand, and what goes to an agent, who may be a worker as well.
 * People get plain words. JSON stays JSON, but for us.
 */
export function sign(text: string, { clink, is, mark: routeMark, to }: Sending, parts: Parts): Signed {
  const { agentProfiles, settings } = parts
  const { mark } = settings.current.replies
  const hops = hopsOf(readText(clink.content, mark).ending)
  const comesBack = mayComeBack(to, parts)
  const plain = { text, line: undefined }
  // Whoever has counted hops reads them: a circle that one side leaves uncounted would not end.
  if (routeMark === 'never' && hops === 0) return plain
  if (!comesBack && hops === 0 && !agentProfiles.has(to, clink.group_id)) return plain
  if (is === 'note') return { text, line: endingLine(mark, 'note') }
  if (!comesBack && isJson(text)) return { ...plain, text: withJsonHops(text, hops + 1) }
  return { text, line: endingLine(mark, hops + 1) }
}

/** Whether what goes to somebody may arrive in our own inbox. @param to undefined: the group, or nobody knows whom. */
export function mayComeBack(to: string | undefined, { identity, settings }: Omit<Parts, 'agentProfiles'>): boolean {
  return settings.current.inbox.for === 'anyone' || !identity.isSomebodyElse(to)
}

/** What the sender of a clink that is not run reads, in one line: it comes of too many answers of workers to each other. */
export function circleEnd(mark: string, hops: number): Signed {
  return {
    text: '',
    line: endingLine(`${mark}: not run, since it comes of ${hops} answers of workers to each other`, 'end'),
  }
}
