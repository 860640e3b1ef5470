import type { Streak } from '../../base/streak.ts'
import type { Boot } from '../../base/boot.ts'
import type { ClinkApi } from '../../clink/clink-api.ts'
import type { Identity } from '../../keys/identity.ts'
import type { Keys } from '../../keys/keys.ts'
import type { RateLimit } from '../capacity/rate-limit.ts'
import type { WorkerContext } from '../context.ts'
import type { ServiceTime } from '../../clink/service-time.ts'
import type { ClaimsUnderWay } from './claims-under-way.ts'
import type { Siblings } from './siblings.ts'
import type { ClaimTerms } from './terms.ts'

/** What claims are made, renewed and told apart by. */
export interface ClaimContext extends WorkerContext {
  /** Asks with whichever key is current. What is asked about a claim is asked with its own: `WorkerKey.api`. */
  readonly api: ClinkApi
  readonly keys: Keys
  readonly identity: Identity
  readonly boot: Boot
  readonly rateLimit: RateLimit
  readonly terms: ClaimTerms
  readonly claimsUnderWay: ClaimsUnderWay
  /** What fails in a row, of all claims. */
  readonly outages: { readonly renewals: Streak; readonly settlements: Streak }
  readonly serviceTime: ServiceTime
  readonly siblings: Siblings
}
