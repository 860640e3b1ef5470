import type { Emulator } from '../../src/emulator/emulator.ts'
import { usualPermissions } from '../../src/emulator/permissions.ts'
import type { Life } from './life.ts'
import { ownerOf, type KeyPlan } from './plan-keys.ts'
import type { Plan, WorkerPlan } from './plan.ts'
import { FAST, type StorePlan } from './slow-store.ts'
import type { Record } from './record.ts'

/** Milliseconds after which what a worker has learnt is in its journal. */
const JOURNALLED = 100
/** A journal tries again each second, and needs a moment to write. */
const RETRIED = 4_000

/** The key files of the workers, and what the service thinks of the keys in them. */
export class KeyFiles {
  readonly #plan: Plan
  readonly #emulator: Emulator
  readonly #record: Record
  readonly #names: Map<string, string>

  constructor(plan: Plan, emulator: Emulator, record: Record) {
    this.#plan = plan
    this.#emulator = emulator
    this.#record = record
    this.#names = new Map(plan.workers.map(({ name, key }) => [name, key]))
  }

  /** The text that the key file of a worker holds. */
  read(worker: string): string {
    return this.#emulator.keys[this.#names.get(worker) ?? ''] ?? ''
  }

  isStrange({ name, owner }: WorkerPlan): boolean {
    return ownerOf(this.#plan, this.#names.get(name)) !== owner
  }

  /** @param lifeOf the last process of a worker. */
  act(act: KeyPlan, lifeOf: (worker: string) => Life | undefined): void {
    if (act.what === 'write') {
      const life = lifeOf(act.worker)
      if (!this.#mayWrite(act, life)) return
      this.#names.set(act.worker, act.key)
      this.#note(act)
      life?.keyWritten(() => this.read(act.worker))
      return
    }
    this.#note(act)
    if (act.what === 'leave') this.#emulator.leave(act.group, act.owner)
    else if (act.what === 'suspend' || act.what === 'resume') this.#emulator.suspendKey(act.key, act.what === 'suspend')
    else this.#emulator.permitKey(act.key, PERMISSIONS[act.what])
  }

  /** Who does not know who it is takes any first key for its own, and nobody could tell it otherwise. */
  #mayWrite({ key, worker: name }: { readonly key: string; readonly worker: string }, life: Life | undefined): boolean {
    const worker = this.#plan.workers.find((one) => one.name === name)
    if (worker === undefined || ownerOf(this.#plan, key) === worker.owner) return true
    return life !== undefined && knowsItself(this.#plan, this.#record, worker, life.name)
  }

  #note(act: KeyPlan): void {
    this.#record.keyActs.push(act)
    this.#record.say('keys', JSON.stringify(act))
  }
}

function knowsItself({ world }: Plan, record: Record, worker: WorkerPlan, life: string): boolean {
  if (worker.config.clink.identity !== 'auto') return true
  return record
    .livesOf(record.life(life).state)
    .flatMap(({ name }) => record.eventsByLife.get(name) ?? [])
    .some(({ at, event }) => event.event === 'worker.identity' && writtenBy(at, world.store) < record.now)
}

/** When what is noted at a time is in the journal at the latest. */
function writtenBy(at: number, { failing, slowest }: StorePlan = { ...FAST, slowest: 0 }): number {
  const late = at + slowest + JOURNALLED
  const { to = late } = failing.find(({ from, to: end }) => from <= late && at <= end) ?? {}
  return to === late ? late : to + RETRIED
}

const PERMISSIONS = {
  'forbid-all': [],
  'forbid-claims': usualPermissions.filter((name) => name !== 'clinks:write'),
  permit: usualPermissions,
} as const
