import { policyOf, type PlannedClink } from '../../handlers/policy.ts'
import type { RoutedClink } from '../../handlers/route.ts'
import { routeOf } from '../replies/hops.ts'
import type { DeliveryContext } from './context.ts'
import type { Handle } from './handle.ts'

/** By what a clink in hand is run. Each start goes by the routes that are in use then: what was mended is not to fail once more as it was. */
export class Plan {
  readonly #of: Pick<Handle, 'clink' | 'of'>
  readonly #context: DeliveryContext
  #current: PlannedClink
  #generation: number
  /** Its route does not take the clink any more, as far as anybody can tell. */
  isElsewhere = false

  constructor(of: Pick<Handle, 'clink' | 'of'>, routed: RoutedClink, context: DeliveryContext) {
    this.#of = of
    this.#context = context
    // Not the router's: finding the route, and confirming the claim, may have outlasted a reload.
    this.#generation = routed.route.generation
    this.#current = this.#planned(routed)
  }

  get current(): PlannedClink {
    return this.#current
  }

  /** As `Handle.ready`, by the routes that are in use now. */
  ready(handle: Pick<Handle, 'ready'>): Promise<boolean> | boolean {
    return this.#isOutdated ? this.#renew().then(async () => await handle.ready()) : handle.ready()
  }

  get #isOutdated(): boolean {
    return this.#generation !== this.#context.router.generation
  }

  async #renew(): Promise<void> {
    const { router } = this.#context
    const { name } = this.#current.route
    while (this.#isOutdated) {
      this.#generation = router.generation
      // Where it cannot be found, the next claim tries again.
      const routed = await Promise.resolve(routeOf(this.#of.clink, this.#context)).catch(() => undefined)
      this.isElsewhere = routed?.route.name !== name
      if (routed !== undefined && !this.isElsewhere) this.#current = this.#planned(routed)
    }
  }

  #planned(routed: RoutedClink): PlannedClink {
    const policy = policyOf(routed.route, this.#context.settings.current)
    // Over a letter there is no claim that could be held for too long.
    return { ...routed, policy: this.#of.of === 'claim' ? policy : { ...policy, maxHold: Infinity } }
  }
}
