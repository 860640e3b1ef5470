import { MemoryLimits } from '../support/memory-limits.ts'
import { asError } from '../../src/base/coded-error.ts'
import { NotPrepared, type Batch, type Note, type SharedStore } from '../../src/fleet/store.ts'
import type { DeadLetter } from '../../src/ledger/dead-letters.ts'
import type { KeyRight } from '../../src/ledger/fleet-limits.ts'
import { SharedRows } from '../fleet/simulated/shared-rows.ts'
import type { Chance } from './chance.ts'
import type { FleetRecord, SharedFact, StoreCall } from './fleet-record.ts'
import type { FleetPlan } from './plan-fleet.ts'
import type { Host, VirtualTime } from './virtual-time.ts'

/** Milliseconds after which a call is given up, and after which its store carries nothing out any more. */
const ANSWER = 6_000
const STATEMENT = 4_000
/** Numbers of writes of one process. */
const OF_A_PROCESS = 1_000_000
/** Milliseconds of a call that takes a moment. */
const MOMENT = 1

const WRITING: ReadonlySet<StoreCall['what']> = new Set(['prepare', 'beat', 'write', 'siblings', 'prune', 'limits'])

/** What becomes of a call. */
interface Fate {
  /** Milliseconds until it is carried out; absent: it never is. */
  readonly there?: number
  /** Milliseconds from when it was sent until its answer. */
  readonly back: number
  readonly fails: boolean
  /** Of a write that fails: what of it was carried out before that. */
  readonly isHalf?: boolean
}

export interface MemberParts {
  /** The process, and its worker. */
  readonly life: string
  readonly worker: string
  readonly host: Host
  readonly chance: Chance
  /** The process ends in this moment. */
  readonly kill: () => void
}

/** The store that the members of a seed share, on virtual time: slow, away, and of unknown outcomes, as its plan says. */
export class SimulatedStore {
  readonly #rows: SharedRows
  readonly #limits: MemoryLimits
  readonly #plan: FleetPlan
  readonly #time: VirtualTime
  readonly #record: FleetRecord
  #processes = 0

  constructor(plan: FleetPlan, time: VirtualTime, record: FleetRecord) {
    this.#plan = plan
    this.#time = time
    this.#record = record
    this.#rows = new SharedRows(() => time.now)
    this.#limits = new MemoryLimits(() => time.now)
  }

  /** As a process of a member sees it. What one that is dead has sent may still be carried out. */
  for(member: string, parts: MemberParts): SharedStore {
    let [process, writes]: [number | undefined, number] = [undefined, 0]
    this.#record.members.set(member, parts.life)
    const ask = async <Answer>(
      what: StoreCall['what'],
      act: (isHalf: boolean) => Answer,
      kill?: () => void,
      keysOf?: readonly string[],
    ): Promise<Answer> => await this.#ask({ what, act, parts, kill, keysOf })
    const askForKeys = async <Answer>(rights: readonly KeyRight[], act: () => Answer): Promise<Answer> =>
      await ask(
        'limits',
        act,
        undefined,
        rights.map(({ clink }) => clink),
      )
    return {
      place: 'a store',
      limits: {
        ask: async (wish, length) => await askForKeys(wish.keys, () => this.#limits.ask(member, wish, length)),
        renew: async (rights, length) => await askForKeys(rights, () => this.#limits.renew(member, rights, length)),
      },
      prepare: async () => {
        process = undefined
        process = await ask('prepare', () => (this.#processes += 1))
        writes = 0
        return 'the only one'
      },
      beat: async () => await ask('beat', () => void this.#rows.members.set(member, this.#time.now)),
      recall: async (ids) => await ask('recall', () => this.#rows.recall(ids, member)),
      write: async (batch) => {
        if (process === undefined) throw new NotPrepared()
        writes += 1
        const written = process * OF_A_PROCESS + writes
        const kill = this.#isKilling(parts.chance) ? parts.kill : undefined
        const write = (isHalf: boolean): readonly Note[] =>
          this.#write(isHalf ? withoutSteps(batch) : batch, member, written, parts)
        return await ask('write', write, kill)
      },
      changes: async (after) => {
        const changes = await ask('changes', () => this.#rows.changesAfter(Number(after ?? 0), member, this.#time.now))
        for (const { at } of changes.pauses) {
          const pause = this.#record.pauses.find(({ from }) => from === at)
          if (pause?.seen.has(parts.life) === false) pause.seen.set(parts.life, this.#time.now)
        }
        return changes
      },
      // It is never made anew.
      tellPauses: async () => await Promise.resolve(),
      noteSiblings: async (url, verdict) => await ask('siblings', () => void this.#rows.siblings.set(url, verdict)),
      members: async () => await Promise.resolve([]),
      steps: async (id) => await ask('steps', () => this.#rows.stepsOf(id)),
      prune: async () => await ask('prune', () => {}),
      isOfTheData: () => false,
      close: async (isLeaving) => {
        if (isLeaving === true) this.#rows.members.delete(member)
        await Promise.resolve()
      },
    }
  }

  /** What a person asks the store for, whether a member runs or not. */
  plan(pauses: FleetPlan['pauses']): void {
    for (const { at, isTold, ms } of pauses) {
      const to = at + ms
      this.#time.at(at, () => {
        this.#record.pauses.push({ from: at, to, seen: new Map() })
        const left = (now: number): number | undefined => (isTold ? to - now : undefined)
        this.#rows.pauses.set(undefined, (now) => ({ by: 'somebody', at, left: left(now) }))
      })
      this.#time.at(to, () => this.#rows.pauses.delete(undefined))
    }
  }

  #letterOf(clinkId: string): Omit<SharedFact, 'at' | 'results'> {
    const row = this.#rows.notes.get(`letters ${clinkId}`)?.row ?? null
    if (row === null) return { isGivenUp: false }
    const { at: letter, discarded, rerun } = JSON.parse(row) as DeadLetter
    return { isGivenUp: true, letter, step: rerun?.step, by: rerun?.by, isDiscarded: discarded === true }
  }

  async #ask<Answer>({
    act,
    keysOf,
    kill,
    parts,
    what,
  }: {
    readonly what: StoreCall['what']
    readonly act: (isHalf: boolean) => Answer
    readonly parts: MemberParts
    readonly kill: (() => void) | undefined
    readonly keysOf: readonly string[] | undefined
  }): Promise<Answer> {
    const { host, life } = parts
    const sentAt = this.#time.now
    const call: StoreCall = { life, what, sentAt, ...(keysOf !== undefined && { keysOf }) }
    this.#record.addCall(call)
    const fate = this.#fateOf(what, parts)
    // In the middle of it: before it is carried out, after that, or with its answer.
    const killAt = kill === undefined ? undefined : parts.chance.pick([0, (fate.there ?? 0) + MOMENT / 2, fate.back])
    if (kill !== undefined && killAt !== undefined) this.#time.at(sentAt + killAt, kill, host)
    return await new Promise((resolve, reject) => {
      let done: Answer | undefined
      let refusal: Error | undefined
      const carryOut = (): void => {
        try {
          done = act(fate.isHalf === true)
          call.doneAt = this.#time.now
        } catch (error) {
          refusal = asError(error)
        }
      }
      if (fate.there !== undefined) this.#time.at(sentAt + fate.there, carryOut)
      const answer = (): void => {
        // Who has slept meanwhile finds the connection closed, as often as not.
        const isGone = this.#time.now - sentAt > ANSWER + MOMENT && parts.chance.is(0.5)
        call.endedAt = this.#time.now
        call.hasFailed = fate.fails || isGone || refusal !== undefined
        if (call.hasFailed) reject(refusal ?? new Error('it cannot be reached'))
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what has not failed was carried out
        else resolve(done as Answer)
      }
      this.#time.at(sentAt + fate.back, answer, host)
    })
  }

  #fateOf(what: StoreCall['what'], { chance, worker }: MemberParts): Fate {
    const { failing, outages, slow, slowest, until } = this.#plan
    const { now } = this.#time
    const isCalm = now >= until
    const takes = (): number => (isCalm || !chance.is(slow) ? MOMENT : chance.between(MOMENT, slowest))
    const [there, back] = [takes(), takes()]
    const outage = outages.find((one) => {
      const isMine = one.worker === undefined || one.worker === worker
      return isMine && one.from <= now && now < one.to && (one.kind !== 'read-only' || WRITING.has(what))
    })
    if (!isCalm && outage?.kind === 'hangs') return { back: ANSWER, fails: true }
    if (!isCalm && outage !== undefined) return { back: there, fails: true }
    if (isCalm || !chance.is(failing)) return { there, back: there + back, fails: false }
    const late = chance.between(MOMENT, STATEMENT)
    const kinds: readonly Fate[] = [
      { back: there, fails: true },
      { back: ANSWER, fails: true },
      { there, back: there + back, fails: true },
      { there, back: there + back, fails: true, isHalf: true },
      { there: late, back: ANSWER, fails: true },
      // The connection breaks, and the statement goes on where it was sent.
      { there: late, back: there, fails: true },
    ]
    return chance.pick(kinds)
  }

  #isKilling(chance: Chance): boolean {
    return this.#time.now < this.#plan.until && chance.is(this.#plan.killing)
  }

  #write(batch: Batch, member: string, written: number, { life }: MemberParts): readonly Note[] {
    const { notes, over, parts } = batch
    const passing = this.#passing(notes)
    const after = this.#rows.write(batch, member, written)
    const letters = notes.flatMap(({ id, kind }) => (kind === 'letters' ? [id] : []))
    const ids = new Set([...over, ...parts.map(({ clink }) => clink), ...letters])
    for (const id of ids) {
      this.#record.addWrite(id, life, this.#time.now)
      const results = [...(this.#rows.parts.get(id)?.values() ?? [])].flatMap(({ result }) => result ?? [])
      if (passing.has(id)) this.#record.addFact(id, { at: this.#time.now, isGivenUp: true, results })
      this.#record.addFact(id, { at: this.#time.now, ...this.#letterOf(id), results })
    }
    return after
  }

  /** Clinks that are given up, and wanted again, by one write: somebody has retried their letters before the store was told of these. */
  #passing(notes: Batch['notes']): ReadonlySet<string> {
    const passing = notes.filter(({ edit, id, kind, row }) => {
      if (kind !== 'letters' || edit?.born === undefined) return false
      const isKnown = this.#rows.notes.get(`letters ${id}`)?.born.includes(edit.born) === true
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what members have written
      return !isKnown && (row === null || (JSON.parse(row) as DeadLetter).rerun !== undefined)
    })
    return new Set(passing.map(({ id }) => id))
  }
}

/** Steps are written by statements of their own. */
function withoutSteps(batch: Batch): Batch {
  return { ...batch, steps: { dropped: [], removed: [], kept: [] } }
}
