import { Recent } from '../../base/recent.ts'
import { readTime } from '../../base/time-text.ts'
import type { Clink } from '../../clink/records.ts'
import type { WorkerContext } from '../context.ts'

/** A clink that was created within this time after an answer of ours may itself be an answer to it. */
const ANSWER_WINDOW = 60_000

/** How many correspondents are remembered. */
const SENDERS = 10_000

interface Correspondent {
  /** Service times of our answers to it that no clink has followed yet, oldest first. */
  answers: number[]
  /** Local times at which a clink was taken that followed an answer. */
  followed: number[]
  mutedUntil: number
}

/**
 * Bounds circles with agents that do not count hops, where `inbox.loopLimit` asks for it. In a circle every clink follows an answer of
 * ours within a moment, so a clink is counted when one of our answers to its sender, not counted before, precedes its creation by up to a
 * minute. Times are the service's on both sides. Nothing tells such a circle from a sender that waits for each answer before it hands
 * out more, which is why nobody is held to a limit unasked.
 */
export class LoopGuard {
  readonly #context: Pick<WorkerContext, 'clock' | 'emit' | 'settings'>
  readonly #senders = new Recent<Correspondent>(SENDERS)

  constructor(context: Pick<WorkerContext, 'clock' | 'emit' | 'settings'>) {
    this.#context = context
  }

  /** @param at when the answer was created, by the service; without it the wall clock's word is taken. */
  answered(recipient: string, at: string | null | undefined): void {
    const limit = this.#context.settings.current.inbox.loopLimit
    if (limit === null) return
    const sender = this.#senders.get(recipient) ?? { answers: [], followed: [], mutedUntil: 0 }
    sender.answers.push(readTime(at) ?? this.#context.clock.wall())
    if (sender.answers.length > limit.count * 2 + 1) sender.answers.shift()
    this.#senders.set(recipient, sender)
  }

  /** Whether clinks of the sender are left alone for now. */
  isMuted(senderId: string): boolean {
    const sender = this.#senders.get(senderId)
    const limit = this.#context.settings.current.inbox.loopLimit
    if (sender === undefined || limit === null || sender.followed.length < limit.count) return false
    return this.#context.clock.now() < sender.mutedUntil
  }

  /** The clink is going to be worked: with as many as the limit allows its sender is left alone until the first of them is long ago. */
  taken(clink: Clink): void {
    const sender = this.#senders.get(clink.sender_id)
    const limit = this.#context.settings.current.inbox.loopLimit
    if (limit === null || sender === undefined) return
    const { count, window } = limit
    const now = this.#context.clock.now()
    if (!follows(sender, readTime(clink.created_at) ?? Number.NaN)) return
    sender.followed = [...sender.followed, now].filter((time) => time > now - window)
    const [first = now] = sender.followed
    if (sender.followed.length < count) return
    sender.mutedUntil = first + window
    const until = this.#context.clock.wall() + (sender.mutedUntil - now)
    this.#context.emit({
      event: 'sender.muted',
      sender: clink.sender_id,
      count: sender.followed.length,
      until,
      advice: ADVICE,
    })
  }
}

/** Takes the answer that the clink follows, with all that are too old to be followed by a later one. */
function follows(sender: Correspondent, created: number): boolean {
  sender.answers = sender.answers.filter((time) => created - time <= ANSWER_WINDOW)
  const index = sender.answers.findIndex((time) => time <= created)
  if (index === -1) return false
  sender.answers.splice(index, 1)
  return true
}

const ADVICE =
  'inbox.loopLimit is reached: it and this worker may answer each other in a circle; end it in the handler, or raise the limit'
