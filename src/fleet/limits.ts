import type { LimitStore } from '../ledger/fleet-limits.ts'
import type { Exchange } from './exchange.ts'

/** The limits of a fleet, as one member asks for them: a store that fails here counts as away for all else as well. */
export function limitsBy(store: LimitStore, exchange: Pick<Exchange, 'failed'>): LimitStore {
  const asked = async <Answer>(answer: Promise<Answer>): Promise<Answer> => {
    try {
      return await answer
    } catch (error) {
      exchange.failed(error)
      throw error
    }
  }
  return {
    ask: async (wish, length) => await asked(store.ask(wish, length)),
    renew: async (rights, length) => await asked(store.renew(rights, length)),
  }
}
