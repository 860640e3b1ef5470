import type { Asked } from '../../src/control/asked.ts'
import { requests } from '../../src/control/requests.ts'
import type { Life } from './life.ts'
import { answerOf } from './operator.ts'
import type { HoldPlan } from './plan-holds.ts'
import type { HoldRecord, Record } from './record.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Milliseconds until somebody tries again who has reached nobody. */
const AGAIN = 500

export interface HoldsParts {
  readonly time: VirtualTime
  readonly record: Record
  /** The last process of a worker. */
  readonly life: (worker: string) => Life | undefined
}

/** An operator who pauses and drains workers, whether their processes run or not, and has them go on. */
export class Holds {
  readonly #parts: HoldsParts

  constructor(parts: HoldsParts) {
    this.#parts = parts
  }

  plan(hold: HoldPlan): void {
    const { record, time } = this.#parts
    this.#when(hold.at, hold.worker, async (life, asked) => {
      // Whoever has waited for a machine that slept has it go on after that.
      this.#resume(hold.worker, Math.max(time.now, hold.at + hold.ms))
      // Nobody drains what does not run.
      if (hold.what === 'drain' && asked.worker === undefined) return
      const wish = { by: 'somebody' }
      record.say('person', `${hold.what}s ${life.name}`)
      const noted: HoldRecord = {
        state: record.life(life.name).state,
        life: life.name,
        what: hold.what,
        askedAt: time.now,
      }
      record.holds.push(noted)
      const answer = await answerOf(
        hold.what === 'pause' ? requests.pause.by(wish, asked) : requests.drain.by(wish, asked),
      )
      if (answer !== undefined) noted.from = time.now
    })
  }

  #resume(worker: string, at: number): void {
    const { record, time } = this.#parts
    this.#when(at, worker, async (life, asked) => {
      record.say('person', `resumes ${life.name}`)
      for (const one of record.holds) if (one.state === record.life(life.name).state) one.to ??= time.now
      await answerOf(requests.resume.by({ by: 'somebody' }, asked))
    })
  }

  /** As soon as somebody can be asked: a machine that sleeps hears nobody, and a process that has just ended has its directory still. */
  #when(at: number, worker: string, act: (life: Life, asked: Asked) => Promise<void>): void {
    const { life: lifeOf, time } = this.#parts
    time.at(at, () => {
      const life = lifeOf(worker)
      if (life === undefined) return this.#when(time.now + AGAIN, worker, act)
      if (life.asleepUntil > time.now) return this.#when(life.asleepUntil, worker, act)
      if (life.isOver && !life.isDead) return this.#when(time.now + AGAIN, worker, act)
      const asked = life.openLetters()
      void act(life, asked).then(() => asked.close())
    })
  }
}
