import { readTime } from '../base/time-text.ts'
import { Recent } from '../base/recent.ts'
import type { Clock } from '../base/clock.ts'
import type { Clink } from '../clink/records.ts'
import type { Rate } from '../config/config.ts'
import type { Emit } from '../events.ts'

/** A clink that was created within this time after an answer of ours may itself be an answer to it. */
const ANSWER_WINDOW = 60_000
/** How long a sender is left alone. */
const MUTE = 600_000

/** How many correspondents are remembered. */
const SENDERS = 10_000

interface Correspondent {
  /** Service times of our answers to it that no clink has followed yet, oldest first. */
  answers: number[]
  /** Local times at which a clink came that followed an answer. */
  followed: number[]
  mutedUntil: number
}

/**
 * Notices agents that answer each other in a circle. In a circle every clink follows an answer of ours within a moment, so a
 * clink is counted when one of our answers to its sender, not counted before, precedes its creation by up to a minute. Times
 * are the service's on both sides; a backlog that was sent before our first answer therefore never counts.
 */
export class LoopGuard {
  readonly #limit: Rate
  readonly #clock: Clock
  readonly #emit: Emit
  readonly #senders = new Recent<Correspondent>(SENDERS)

  constructor(limit: Rate, clock: Clock, emit: Emit) {
    this.#limit = limit
    this.#clock = clock
    this.#emit = emit
  }

  /** @param at when the answer was created, by the service; without it the wall clock's word is taken. */
  answered(recipient: string, at: string | null | undefined): void {
    const time = readTime(at) ?? this.#clock.wall()
    const sender = this.#senders.get(recipient) ?? { answers: [], followed: [], mutedUntil: 0 }
    sender.answers.push(time)
    if (sender.answers.length > this.#limit.count * 2 + 1) sender.answers.shift()
    this.#senders.set(recipient, sender)
  }

  /** Counts the clink and says whether its sender is left alone. */
  isMuted(clink: Clink): boolean {
    const sender = this.#senders.get(clink.sender_id)
    if (sender === undefined) return false
    const now = this.#clock.now()
    if (now < sender.mutedUntil) return true

    if (follows(sender, readTime(clink.created_at) ?? Number.NaN)) sender.followed.push(now)
    sender.followed = sender.followed.filter((time) => time > now - this.#limit.window)
    if (sender.followed.length <= this.#limit.count) {
      if (sender.answers.length === 0 && sender.followed.length === 0) this.#senders.delete(clink.sender_id)
      return false
    }
    const count = sender.followed.length
    sender.mutedUntil = now + MUTE
    sender.followed = []
    const advice =
      'it and this worker seem to answer each other in a circle: end it in the handler, or raise inbox.loopLimit if its clinks are wanted'
    this.#emit({ event: 'sender.muted', sender: clink.sender_id, count, until: this.#clock.wall() + MUTE, advice })
    return true
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
