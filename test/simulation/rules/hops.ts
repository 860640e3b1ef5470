import type { Emulator, StoredClink } from '../../../src/emulator/emulator.ts'
import { isChosen } from '../distortion.ts'
import { isOurs } from '../explained.ts'
import { resultIn } from '../handlers.ts'
import type { Breach, Evidence, Rule } from '../judge.ts'
import { workerOf, type Plan } from '../plan.ts'
import { sentOf } from '../world.ts'
import { hasForgottenOwner } from './forgotten-owner.ts'

/** More clinks than that for each one that somebody else sent are no work any more. */
const PER_CLINK = 100

/** P15, §5: what has come of so many answers of workers to workers is not run any more. */
export const circlesEnd: Rule = (evidence) => {
  const { emulator, plan, record } = evidence
  const hops = new Hops(emulator, plan)
  const run = record.runs.flatMap(({ life, clinkId, startedAt: at }): readonly Breach[] => {
    const { maxHops } = workerOf(plan, life).config.inbox
    const count = hops.of(clinkId)
    if (count < maxHops) return []
    return [{ rule: 'P15', at, life, text: `${clinkId} runs, though it comes of ${count} answers of workers` }]
  })
  return [...run, ...bounded(evidence)]
}

/** However many circles there are: the number of clinks is bounded by that of those that began them. */
function bounded({ emulator, plan, record }: Evidence): readonly Breach[] {
  const begun = plan.clinks.length + plan.world.askers.reduce((sum, { count }) => sum + count, 0)
  const all = emulator.clinks().length
  if (all <= PER_CLINK * begun) return []
  return [{ rule: 'P15', at: record.now, text: `there are ${all} clinks, and ${begun} began it` }]
}

/** How many answers of workers to workers a clink comes of at least, as the workers that sent it had to count them. */
export class Hops {
  readonly #emulator: Emulator
  readonly #plan: Plan
  readonly #known = new Map<string, number>()

  constructor(emulator: Emulator, plan: Plan) {
    this.#emulator = emulator
    this.#plan = plan
  }

  of(clinkId: string): number {
    const known = this.#known.get(clinkId)
    if (known !== undefined) return known
    const count = this.#count(this.#emulator.clink(clinkId))
    this.#known.set(clinkId, count)
    return count
  }

  #count(clink: StoredClink | undefined): number {
    if (clink === undefined) return 0
    const sender = this.#emulator.history(clink.clink_id)[0]?.session?.split('~')[0]
    const isByWorker = this.#plan.workers.some(({ name }) => name === sender)
    const of = clink.answers ?? sentOf(clink.content) ?? resultIn(clink.content)?.split(' ')[0]
    if (!isByWorker || of === undefined) return 0
    const carried = this.of(of)
    const worker = this.#plan.workers.find(({ name }) => name === sender)
    // Whoever takes what is for anyone may get everything back.
    const isBack = clink.for === worker?.owner || worker?.config.inbox.for === 'anyone'
    const mayComeBack = isBack || clink.for === undefined || clink.for.startsWith('ap_')
    const isCounted = carried > 0 || (mayComeBack && !this.#hidesSender(clink))
    return isCounted ? carried + 1 : 0
  }

  /** Whether it answers a record that did not say who sent it: then nobody can tell that its recipient is an agent. */
  #hidesSender({ answers }: StoredClink): boolean {
    const { field } = this.#plan.world
    return answers !== undefined && field?.name === 'sender_id' && isChosen(answers, field.every)
  }
}

/** P15: what a worker of ours sent is not work for a worker of the same owner. */
export const ownClinksAreNotWork: Rule = (evidence) => {
  const { plan, record, emulator } = evidence
  return record.runs.flatMap(({ life, clinkId, isRerun, startedAt: at }) => {
    const clink = emulator.clink(clinkId)
    const worker = workerOf(plan, life)
    // Somebody has asked this member of a fleet to run what was another one's work.
    if (isRerun === true && plan.world.fleet !== undefined) return []
    if (clink === undefined || !isOurs(emulator, plan, worker, clink)) return []
    if (namesAnother(evidence, life, clink, at) || hasForgottenOwner(evidence, life)) return []
    // What it sent with the key of somebody else, where claims do not say whose that is, comes from somebody else.
    if (clink.sender_id !== worker.owner && plan.world.field?.name === 'claimed_by') return []
    return [{ rule: 'P15', at, life, text: `${clinkId} runs, though ${worker.owner} sent it` }]
  })
}

/**
 * §0: a number as an id is read as its text. Such a sender is somebody else, unless the service has told this very worker the id of what it
 * sent; and what answers such a clink goes to somebody else, as it seems, and has no mark.
 */
function namesAnother(evidence: Evidence, life: string, clink: StoredClink, startedAt: number): boolean {
  const { field } = evidence.plan.world
  if (field?.name !== 'sender_id' || field.as !== 'number') return false
  const { answers, clink_id: id } = clink
  const isKnown = evidence.plan.switches.responseId === 'present' && isToldOf(evidence, life, clink, startedAt)
  return (isChosen(id, field.every) && !isKnown) || (answers !== undefined && isChosen(answers, field.every))
}

/**
 * Whether the request that sent a clink was answered, to a process with this journal, before that had the clink in hand which was started
 * then: an answer that is lost, or late, names nothing.
 */
function isToldOf(
  { emulator, record }: Evidence,
  life: string,
  { answers, clink_id: id }: StoredClink,
  startedAt: number,
): boolean {
  const { state } = record.life(life)
  const claims = record.told(life, id).filter(({ at, event }) => event.event === 'clink.claimed' && at <= startedAt)
  const by = claims.at(-1)?.at ?? startedAt
  const sentAt = (emulator.history(id)[0]?.at ?? 0) - emulator.now() + record.now
  return record.requests.some(({ arrivedAt = -Infinity, clinkId, endedAt = Infinity, kind, life: of, toldWell }) => {
    const isIt = answers === undefined ? kind === 'send' && Math.abs(arrivedAt - sentAt) < 1 : clinkId === answers
    return (
      isIt &&
      endedAt <= by &&
      toldWell === true &&
      (kind === 'send' || kind === 'complete') &&
      record.life(of).state === state
    )
  })
}
