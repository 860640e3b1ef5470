import { CodedError } from '../../src/base/coded-error.ts'
import { requests } from '../../src/control/requests.ts'
import type { DeadLetter } from '../../src/ledger/dead-letters.ts'
import type { Chance } from './chance.ts'
import { UNDER_WAY } from './fleet-record.ts'
import type { Life } from './life.ts'
import type { LetterPlan } from './plan-letters.ts'
import type { LetterAsk, Record } from './record.ts'

/** Nobody hears that it was done while the journal cannot be written. */
export async function answerOf<Answer>(asked: Answer | Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'STATE_UNAVAILABLE') throw error
    return undefined
  }
}

/** Acts on the dead letters of workers as `clink-worker failed` does, whether their processes run or not. */
export class Operator {
  readonly #record: Record
  readonly #chance: Chance

  constructor(record: Record, chance: Chance) {
    this.#record = record
    this.#chance = chance
  }

  /** @returns false: there is nothing to act on. */
  act({ what, which }: LetterPlan, life: Life): boolean {
    // A process that has just said its last word still has its directory; of a fleet there are others to ask.
    if (life.isOver && !(life.isDead && life.remembersAlone)) return false
    const visit = life.openLetters()
    const all = visit.ledger.letters.all()
    const chosen = which === 'all' || all.length === 0 ? all : [this.#chance.pick(all)]
    const asked = chosen.map(async (letter) => {
      const { clink_id: id } = letter.clink
      const ask = this.#note(life, letter, what)
      const answer = await answerOf(requests[`failed.${what}`].by({ by: 'an operator', ids: [id] }, visit))
      if (answer === undefined) return
      ask.answeredAt = this.#record.now
      const [said] = answer
      ask.isElsewhere = said === 'elsewhere'
      if (said !== undefined) ask.answer = said === 'elsewhere' ? 'rerun' : said
      this.#record.say('person', `is told of ${id}: ${JSON.stringify(answer)}`)
    })
    void Promise.all(asked).then(() => visit.close())
    return chosen.length > 0
  }

  #note(life: Life, { clink, rerun }: DeadLetter, what: LetterAsk['what']): LetterAsk {
    const clinkId = clink.clink_id
    const { isOfFleet, state } = this.#record.life(life.name)
    // What one member shows may be out of date.
    const held = this.#record.fleet.factsOf(clinkId, this.#record.now).at(-1)
    const isUnderWay = UNDER_WAY.has(rerun?.step) && (isOfFleet !== true || UNDER_WAY.has(held?.step))
    const ask: LetterAsk = { state, clinkId, what, askedAt: this.#record.now, isUnderWay }
    this.#record.asks.push(ask)
    this.#record.say('person', `${what} letter ${clinkId} of ${life.name}, ${rerun?.step ?? 'at rest'}`)
    return ask
  }
}
